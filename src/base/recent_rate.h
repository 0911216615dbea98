// How fast a number grows, from what was noted of it over a recent window.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace re_dms {

/// Used by one thread. Counts from the number's first change on: what has not begun is not slow,
/// and how long that first step took is not known. A number that stands still later is slow, and
/// its rate falls to 0 over a window.
class RecentRate {
 public:
  /// No rate is given before `least` has passed since then: a few samples tell nothing.
  explicit RecentRate(std::chrono::milliseconds window = std::chrono::seconds(30),
                      std::chrono::milliseconds least = std::chrono::seconds(2))
      : window_(window), least_(least) {}

  /// The number at `now`; times never go back. Keeps a bounded number of samples however often it
  /// is called.
  void note(SteadyTime now, double total);

  /// A second, as of the last note; negative where the number shrinks. Empty: too early to tell.
  std::optional<double> per_second() const;

 private:
  struct Sample {
    SteadyTime at;
    double total = 0;
  };

  std::chrono::milliseconds window_;
  std::chrono::milliseconds least_;
  bool begun_ = false;
  std::deque<Sample> samples_;
};

}  // namespace re_dms
