#include "source/stream/nap.h"

#include <algorithm>

namespace re_dms {

std::chrono::microseconds Nap::next(std::size_t bytes, SteadyTime now) {
  using std::chrono::microseconds;
  const auto took = std::max(std::chrono::duration_cast<microseconds>(now - began_), last_);
  began_ = now;
  const std::size_t per_microsecond = bytes / static_cast<std::size_t>(took.count());
  if (per_microsecond < kDenseBytesPerMicrosecond) {
    last_ = kShortest;
  } else {
    // It grows by steps, so that a burst is not mistaken for a dense stream.
    const microseconds filled(static_cast<microseconds::rep>(kRoom / per_microsecond));
    last_ = std::clamp(std::min(last_ * 2, filled), kShortest, longest_);
  }
  return last_;
}

}  // namespace re_dms
