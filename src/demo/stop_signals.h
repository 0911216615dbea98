// SIGINT, SIGTERM and SIGHUP as an Error at a known place, so that a Ctrl-C takes the same way out
// as any other failure and every child process is stopped on it.
#pragma once

#include <chrono>
#include <csignal>

namespace re_dms::demo {

/// Blocks the signals while it lives, in this thread and those started from it; belongs to the main
/// thread. SIGPIPE is ignored meanwhile: `re_dms demo | head` must not leave a server behind.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Sleeps; throws Fatal as soon as one of the signals came.
  void pause(std::chrono::milliseconds duration);

  /// Whether pause threw.
  bool came() const { return came_; }

 private:
  sigset_t awaited_{};
  sigset_t before_{};
  bool came_ = false;
  void (*pipe_before_)(int) = SIG_DFL;
};

}  // namespace re_dms::demo
