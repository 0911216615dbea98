// The values of the metrics that metric_list.h defines, in a registry of prometheus-cpp that every
// exporter reads.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "observe/metric_list.h"

namespace re_dms {

/// Safe to use from any thread. A metric exists from the first time it is asked for and lives as
/// long as this object; adding to it is one atomic operation, asking for it takes locks and is not
/// for each row. `label` is the value of the metric's one label; empty for one without.
class Metrics {
 public:
  Metrics();

  prometheus::Counter& counter(CounterName name, std::string_view label = {});
  prometheus::Gauge& gauge(GaugeName name, std::string_view label = {});
  prometheus::Histogram& histogram(HistogramName name, std::string_view label = {});

  /// For totals that somebody else counts: adds what is missing to `total`.
  void raise(CounterName name, double total);

  /// How many tables have series of their own: the first that are named. Set before any is.
  void set_table_bound(std::size_t tables) { table_bound_ = tables; }

  /// The value of the label "table": the name, or kOtherTables beyond the bound.
  std::string table_label(std::string_view table);

  static constexpr std::string_view kOtherTables = "(other)";

  /// All values now, sorted by name.
  std::vector<prometheus::MetricFamily> collect() const;

  /// Prometheus text format 0.0.4, sorted by name.
  std::string to_prometheus() const;

 private:
  using Family =
      std::variant<prometheus::Family<prometheus::Counter>*, prometheus::Family<prometheus::Gauge>*,
                   prometheus::Family<prometheus::Histogram>*>;

  prometheus::Registry registry_;
  std::array<Family, kMetricList.size()> families_{};
  std::mutex mutex_;
  std::set<std::string, std::less<>> tables_;
  std::size_t table_bound_ = 100;
};

}  // namespace re_dms
