// Prints metric_list.h and alert_list.h as JSON, for monitoring/generate.py.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "observe/alert_list.h"
#include "observe/metric_list.h"

namespace {

std::string_view type_text(re_dms::MetricType type) {
  switch (type) {
    case re_dms::MetricType::Counter:
      return "counter";
    case re_dms::MetricType::Gauge:
      return "gauge";
    case re_dms::MetricType::Histogram:
      return "histogram";
  }
  return "";
}

std::string_view unit_text(re_dms::MetricUnit unit) {
  switch (unit) {
    case re_dms::MetricUnit::Count:
      return "count";
    case re_dms::MetricUnit::Bytes:
      return "bytes";
    case re_dms::MetricUnit::Seconds:
      return "seconds";
    case re_dms::MetricUnit::Timestamp:
      return "timestamp";
    case re_dms::MetricUnit::Position:
      return "position";
    case re_dms::MetricUnit::Ratio:
      return "ratio";
    case re_dms::MetricUnit::Flag:
      return "flag";
  }
  return "";
}

std::string_view when_text(re_dms::AlertWhen when) {
  switch (when) {
    case re_dms::AlertWhen::Above:
      return "above";
    case re_dms::AlertWhen::Below:
      return "below";
    case re_dms::AlertWhen::Grows:
      return "grows";
    case re_dms::AlertWhen::Silent:
      return "silent";
    case re_dms::AlertWhen::Old:
      return "old";
  }
  return "";
}

}  // namespace

int main() {
  nlohmann::ordered_json metrics = nlohmann::ordered_json::array();
  for (const re_dms::MetricDefinition& metric : re_dms::kMetricList) {
    metrics.push_back({{"name", metric.name},
                       {"type", type_text(metric.type)},
                       {"unit", unit_text(metric.unit)},
                       {"help", metric.help},
                       {"label", metric.label}});
  }
  nlohmann::ordered_json alerts = nlohmann::ordered_json::array();
  for (const re_dms::AlertDefinition& alert : re_dms::kAlertList) {
    alerts.push_back({{"name", alert.name},
                      {"metric", alert.metric},
                      {"when", when_text(alert.when)},
                      {"threshold", alert.threshold},
                      {"minutes", alert.minutes},
                      {"severity", alert.severity == re_dms::Severity::Page ? "page" : "ticket"},
                      {"summary", alert.summary}});
  }
  std::cout << nlohmann::ordered_json{{"metrics", metrics}, {"alerts", alerts}}.dump(2) << '\n';
}
