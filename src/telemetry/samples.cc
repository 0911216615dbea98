#include "telemetry/samples.h"

#include <algorithm>
#include <cmath>

namespace re_dms {

namespace {

const MetricDefinition* definition_of(const std::string& name) {
  const auto found = std::ranges::find(kMetricList, name, &MetricDefinition::name);
  return found == kMetricList.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Sample> SampleTaker::take(const std::vector<prometheus::MetricFamily>& families) {
  std::vector<Sample> samples;
  taken_.clear();
  for (const prometheus::MetricFamily& family : families) {
    const MetricDefinition* const metric = definition_of(family.name);
    for (const prometheus::ClientMetric& value : family.metric) {
      Sample sample{metric, value.label.empty() ? "" : value.label.front().value};
      if (family.type == prometheus::MetricType::Histogram) {
        take_histogram(std::move(sample), value.histogram, samples);
      } else if (family.type == prometheus::MetricType::Counter) {
        take_counter(std::move(sample), value.counter.value, samples);
      } else if (std::isfinite(value.gauge.value)) {
        sample.value = value.gauge.value;
        samples.push_back(std::move(sample));
      }
    }
  }
  return samples;
}

void SampleTaker::take_counter(Sample sample, double total, std::vector<Sample>& samples) {
  sample.value = total - before(sample).sum;
  taken_[{std::string(sample.metric->name), sample.label}].sum = total;
  if (sample.value > 0) {
    samples.push_back(std::move(sample));
  }
}

void SampleTaker::take_histogram(Sample sample,
                                 const prometheus::ClientMetric::Histogram& histogram,
                                 std::vector<Sample>& samples) {
  const Totals last = before(sample);
  Totals& now = taken_[{std::string(sample.metric->name), sample.label}];
  now.sum = histogram.sample_sum;
  sample.value = now.sum - last.sum;
  std::uint64_t below = 0;
  double upper = 0;
  for (std::size_t i = 0; i < histogram.bucket.size(); ++i) {
    const std::uint64_t total = histogram.bucket[i].cumulative_count;
    const std::uint64_t grown = total - (i < last.buckets.size() ? last.buckets[i] : 0);
    const double end = histogram.bucket[i].upper_bound;
    upper = std::isfinite(end) ? end : upper;
    if (grown > below) {
      sample.buckets.push_back({upper, grown - below});
    }
    below = grown;
    now.buckets.push_back(total);
  }
  if (!sample.buckets.empty()) {
    samples.push_back(std::move(sample));
  }
}

void SampleTaker::keep(std::span<const Sample> samples) {
  for (const Sample& sample : samples) {
    const Series series{std::string(sample.metric->name), sample.label};
    if (const auto taken = taken_.find(series); taken != taken_.end()) {
      kept_[series] = taken->second;
    }
  }
}

SampleTaker::Totals SampleTaker::before(const Sample& sample) const {
  const auto found = kept_.find({std::string(sample.metric->name), sample.label});
  return found == kept_.end() ? Totals{} : found->second;
}

}  // namespace re_dms
