// How long a reader sleeps so that more comes than a wake-up for each message would bring. Pure: no
// I/O, the caller brings the time.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"

namespace re_dms {

/// A walsender writes each message to its socket. While nobody reads, the receive window closes,
/// what it writes collects in its send buffer and leaves in large segments: under a dense stream a
/// long sleep takes the greater part of the kernel's work off the server (measured over loopback,
/// 200 k rows a second: 2.3 instead of 5.2 µs of the walsender's CPU a row).
class Nap {
 public:
  static constexpr std::chrono::microseconds kShortest{250};
  static constexpr std::chrono::microseconds kLongest{20000};
  /// Sockets hold about this much; a reader that sleeps longer has the server wait.
  static constexpr std::size_t kRoom = 1U << 20;
  static constexpr std::size_t kDenseBytesPerMicrosecond = 8;

  /// `unix_socket`: it holds some 200 rows, so that every sleep is short.
  explicit Nap(bool unix_socket) : longest_(unix_socket ? kShortest : kLongest) {}

  /// The next one, which begins `now`; `bytes` came since the last one began.
  std::chrono::microseconds next(std::size_t bytes, SteadyTime now);

 private:
  std::chrono::microseconds longest_;
  std::chrono::microseconds last_ = kShortest;
  SteadyTime began_{};
};

}  // namespace re_dms
