// Runs one stage in a thread of its own and turns whatever leaves it into the pipeline's outcome.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/error.h"

namespace re_dms {

/// The first error of any stage, and the stop that follows from it.
class Outcome {
 public:
  /// Keeps the first error and asks every stage to stop.
  void fail(const Error& error);

  /// Asks every stage to stop; not an error.
  void finish() { stop_.request_stop(); }

  std::optional<Error> error() const;

  std::stop_token stop_token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::optional<Error> error_;
};

/// Runs `work`; an exception that leaves it fails the outcome. On return without one the outcome is
/// as it was.
void run_stage(const std::string& name, Outcome& outcome,
               const std::function<void(const std::stop_token&)>& work);

/// A thread with a name (15 characters count) that runs a stage once. Joined by join() or on
/// destruction. The CPU time it used is logged when it ends: the split by stage that benchmarks
/// print.
class StageThread {
 public:
  StageThread(std::string name, Outcome& outcome, std::function<void(const std::stop_token&)> work);

  void join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  std::jthread thread_;
};

}  // namespace re_dms
