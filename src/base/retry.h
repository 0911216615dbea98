// The one retry of the project. pipeline/ calls it around whole idempotent steps; a store calls it
// around single requests, for a bounded time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <source_location>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace re_dms {

struct RetryPolicy {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds longest{30'000};
  double growth = 2.0;
};

/// "10,200": the first and the longest wait in milliseconds; the policy above for any other text.
RetryPolicy parse_retry_policy(std::string_view text);

/// How the daemon waits: as above, unless RE_DMS_RETRY_MS, read once and parsed by
/// parse_retry_policy, says otherwise. Tests set it to skip waits that exist to spare a server.
const RetryPolicy& retry_policy();

/// Thrown by a step that ended early because stop was requested. The step took effect as a whole or
/// not at all. This is not a failure, and the step is not retried before the next start.
class Stopped : public Error {
 public:
  explicit Stopped(std::source_location where = std::source_location::current())
      : Error(ErrorKind::Transient, "stopped before it was done", {}, where) {}
};

/// Waits `duration` or until stop is requested; true when the whole time passed.
bool wait_for(std::chrono::milliseconds duration, const std::stop_token& stop);

/// Between tries it waits first, first·growth, … up to longest, each shortened by up to a half at
/// random so that many daemons do not come back at once. Errors that are not Transient are passed
/// on at once. `on_error` is told of each failed try and the wait that follows. A try during which
/// the value of `progress` changed starts the waits over, as one that is done does: for long steps,
/// where a failure after hours says nothing about the one before.
class Retry {
 public:
  using OnError = std::function<void(const Error&, std::chrono::milliseconds)>;
  using Progress = std::function<std::uint64_t()>;

  Retry(RetryPolicy policy, OnError on_error, Progress progress = nullptr);

  /// Runs `step` until it returns. False when stopped, also in the middle of a step, which then
  /// throws Stopped.
  bool run(const std::stop_token& stop, const std::function<void()>& step);

  /// Runs `step` once. Nothing when it returns, else what to wait before it is run again. Passes
  /// Stopped on.
  std::optional<std::chrono::milliseconds> attempt(const std::function<void()>& step);

  /// As run, for so long only: then what the last try threw is passed on, whatever its kind.
  /// Throws Stopped when stopped.
  void run_for(std::chrono::milliseconds patience, const Clock& clock, const std::stop_token& stop,
               const std::function<void()>& step);

 private:
  std::uint64_t progress() const { return progress_ ? progress_() : 0; }

  std::chrono::milliseconds next_wait();

  RetryPolicy policy_;
  OnError on_error_;
  Progress progress_;
  std::chrono::milliseconds wait_;
  std::minstd_rand random_;
};

}  // namespace re_dms
