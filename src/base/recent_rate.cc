#include "base/recent_rate.h"

namespace re_dms {

namespace {

constexpr int kSamplesPerWindow = 30;

}  // namespace

void RecentRate::note(SteadyTime now, double total) {
  if (!begun_) {
    begun_ = !samples_.empty() && samples_.front().total != total;
    samples_ = {{now, total}};
    return;
  }
  // The newest one moves on until it is far enough from the one before it.
  const bool too_close =
      samples_.size() > 1 &&
      samples_.back().at - samples_[samples_.size() - 2].at < window_ / kSamplesPerWindow;
  if (too_close) {
    samples_.back() = {now, total};
  } else {
    samples_.push_back({now, total});
  }
  while (samples_.size() > 2 && samples_[1].at <= now - window_) {
    samples_.pop_front();
  }
}

std::optional<double> RecentRate::per_second() const {
  if (samples_.size() < 2) {
    return std::nullopt;
  }
  const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
  if (time < least_) {
    return std::nullopt;
  }
  return (samples_.back().total - samples_.front().total) / time.count();
}

}  // namespace re_dms
