// The one retry of the project. Only pipeline/ calls it, around whole idempotent steps.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "base/error.h"

namespace re_dms {

struct RetryPolicy {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds longest{30'000};
  double growth = 2.0;
};

/// Waits `duration` or until stop is requested; true when the whole time passed.
bool wait_for(std::chrono::milliseconds duration, const std::stop_token& stop);

/// Runs `step` until it returns; between tries waits first, first·growth, … up to longest, each
/// shortened by up to a half at random so that many daemons do not come back at once. Errors that
/// are not Transient leave at once. `on_error` hears of each failed try and the wait that follows.
/// A step that calls `made_progress` starts the waits over. Returns false when stopped.
class Retry {
 public:
  using OnError = std::function<void(const Error&, std::chrono::milliseconds)>;

  Retry(RetryPolicy policy, OnError on_error);

  bool run(const std::stop_token& stop, const std::function<void()>& step);

  /// The next wait is the first again. Called from inside the step.
  void made_progress() { wait_ = policy_.first; }

 private:
  RetryPolicy policy_;
  OnError on_error_;
  std::chrono::milliseconds wait_;
};

}  // namespace re_dms
