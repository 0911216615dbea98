#include "observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace re_dms {

Metric& Metrics::counter(std::string_view name, std::string_view help) {
  return find_or_add(name, help, MetricKind::Counter);
}

Metric& Metrics::gauge(std::string_view name, std::string_view help) {
  return find_or_add(name, help, MetricKind::Gauge);
}

Metric& Metrics::find_or_add(std::string_view name, std::string_view help, MetricKind kind) {
  RE_DMS_CHECK(!help.empty());
  const std::lock_guard lock(mutex_);
  for (Metric& metric : metrics_) {
    if (metric.name() == name) {
      return metric;
    }
  }
  return metrics_.emplace_back(std::string(name), std::string(help), kind);
}

std::string Metrics::to_prometheus() const {
  const std::lock_guard lock(mutex_);
  std::vector<const Metric*> sorted;
  for (const Metric& metric : metrics_) {
    sorted.push_back(&metric);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const Metric* a, const Metric* b) { return a->name() < b->name(); });
  std::string text;
  for (const Metric* metric : sorted) {
    text +=
        fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", metric->name(), metric->help(),
                    metric->kind() == MetricKind::Counter ? "counter" : "gauge", metric->value());
  }
  return text;
}

}  // namespace re_dms
