// What the exporters that push send: what became of each metric since the last round.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "observe/metric_list.h"

namespace re_dms {

/// So many values in a bucket of a histogram. The last bucket has no upper end: its values are
/// given the end of the one before.
struct BucketSample {
  double upper = 0;
  std::uint64_t count = 0;

  bool operator==(const BucketSample&) const = default;
};

struct Sample {
  const MetricDefinition* metric = nullptr;
  std::string label;  ///< value of the metric's one label; empty for one without
  double value = 0;   ///< of a gauge; by how much a counter, or a histogram's sum, grew
  std::vector<BucketSample> buckets{};  ///< of a histogram: those that grew

  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const BucketSample& bucket : buckets) {
      sum += bucket.count;
    }
    return sum;
  }
};

/// Belongs to the thread of one exporter.
class SampleTaker {
 public:
  /// Every gauge that is a number, and the counters and histograms that grew since they were kept,
  /// or at all before that.
  std::vector<Sample> take(const std::vector<prometheus::MetricFamily>& families);

  /// These of the samples that were taken last have arrived.
  void keep(std::span<const Sample> samples);

 private:
  using Series = std::pair<std::string, std::string>;  // name and label

  struct Totals {
    double sum = 0;
    std::vector<std::uint64_t> buckets;  // cumulative
  };

  using AllTotals = std::map<Series, Totals>;

  void take_counter(Sample sample, double total, std::vector<Sample>& samples);
  void take_histogram(Sample sample, const prometheus::ClientMetric::Histogram& histogram,
                      std::vector<Sample>& samples);
  Totals before(const Sample& sample) const;

  AllTotals kept_;
  AllTotals taken_;
};

}  // namespace re_dms
