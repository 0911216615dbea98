#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace re_dms {

namespace {

class RealClock final : public Clock {
 public:
  SystemTime now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }

  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

std::string to_text(SystemTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = (time - seconds).count();
  // Not system_clock::to_time_t: its nanoseconds overflow in the year 2262.
  const std::time_t whole = seconds.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}+00", fmt::gmtime(whole), micros);
}

}  // namespace re_dms
