#include "observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>

namespace re_dms {

namespace {

const prometheus::Histogram::BucketBoundaries& buckets_of(MetricUnit unit) {
  static const prometheus::Histogram::BucketBoundaries kSeconds = {
      0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600};
  static const prometheus::Histogram::BucketBoundaries kCounts = {1,   10,  100, 1'000, 1e4,
                                                                  1e5, 1e6, 1e7, 1e8};
  return unit == MetricUnit::Seconds ? kSeconds : kCounts;
}

std::map<std::string, std::string> labels_of(std::size_t index, std::string_view label) {
  const std::string_view name = kMetricList.at(index).label;
  if (name.empty()) {
    return {};
  }
  return {{std::string(name), std::string(label)}};
}

template <typename Builder>
auto& registered(Builder builder, const MetricDefinition& metric, prometheus::Registry& registry) {
  return builder.Name(std::string(metric.name)).Help(std::string(metric.help)).Register(registry);
}

}  // namespace

Metrics::Metrics() {
  for (std::size_t i = 0; i < kMetricList.size(); ++i) {
    const MetricDefinition& metric = kMetricList.at(i);
    switch (metric.type) {
      case MetricType::Counter:
        families_.at(i) = &registered(prometheus::BuildCounter(), metric, registry_);
        break;
      case MetricType::Gauge:
        families_.at(i) = &registered(prometheus::BuildGauge(), metric, registry_);
        break;
      case MetricType::Histogram:
        families_.at(i) = &registered(prometheus::BuildHistogram(), metric, registry_);
        break;
    }
  }
}

prometheus::Counter& Metrics::counter(CounterName name, std::string_view label) {
  return std::get<prometheus::Family<prometheus::Counter>*>(families_.at(name.index))
      ->Add(labels_of(name.index, label));
}

prometheus::Gauge& Metrics::gauge(GaugeName name, std::string_view label) {
  return std::get<prometheus::Family<prometheus::Gauge>*>(families_.at(name.index))
      ->Add(labels_of(name.index, label));
}

prometheus::Histogram& Metrics::histogram(HistogramName name, std::string_view label) {
  return std::get<prometheus::Family<prometheus::Histogram>*>(families_.at(name.index))
      ->Add(labels_of(name.index, label), buckets_of(kMetricList.at(name.index).unit));
}

void Metrics::raise(CounterName name, double total) {
  const std::lock_guard lock(mutex_);
  prometheus::Counter& value = counter(name);
  value.Increment(std::max(0.0, total - value.Value()));
}

std::string Metrics::table_label(std::string_view table) {
  const std::lock_guard lock(mutex_);
  if (!tables_.contains(table)) {
    if (tables_.size() >= table_bound_) {
      return std::string(kOtherTables);
    }
    tables_.emplace(table);
  }
  return std::string(table);
}

std::vector<prometheus::MetricFamily> Metrics::collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return families;
}

std::string Metrics::to_prometheus() const {
  return prometheus::TextSerializer().Serialize(collect());
}

}  // namespace re_dms
