// A clock for tests.
#pragma once

#include "base/clock.h"

namespace re_dms {

/// Moves only when told to; both times by the same. Begins at 2026-01-01 00:00:00 UTC.
class ManualClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }

  SteadyTime steady() const override { return steady_; }

  void advance(std::chrono::milliseconds by) {
    now_ += by;
    steady_ += by;
  }

 private:
  SystemTime now_ = std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 1);
  SteadyTime steady_{};
};

}  // namespace re_dms
