// Time, behind an interface so that tests can control it.
#pragma once

#include <chrono>
#include <string>

namespace re_dms {

using SystemTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Time of day, UTC; may jump.
  virtual SystemTime now() const = 0;
  /// Never goes back; for intervals only.
  virtual SteadyTime steady() const = 0;
};

/// The machine's clocks.
Clock& real_clock();

/// "2026-01-31 12:00:00.123456+00": as PostgreSQL writes a timestamptz in UTC, always six digits.
std::string to_text(SystemTime time);

}  // namespace re_dms
