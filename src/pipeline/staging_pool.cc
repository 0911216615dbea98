#include "pipeline/staging_pool.h"

#include <chrono>
#include <utility>

#include "pipeline/staging_room.h"

namespace re_dms {

namespace {

constexpr std::size_t kJobs = 4096;

}  // namespace

StagingPool::StagingPool(ObjectStore& store, StageNames names, StagingLimits limits,
                         std::stop_token stop, StagingNotes notes)
    : store_(store),
      names_(std::move(names)),
      limits_(limits),
      stop_(std::move(stop)),
      notes_(std::move(notes)),
      budget_(limits.memory_bytes),
      jobs_(kJobs, kJobs) {}

void StagingPool::run_worker(const std::stop_token& stop) {
  while (auto job = jobs_.pop(stop)) {
    if (!retry(stop, [&] { job->room->write(*job); })) {
      return;
    }
  }
}

/// False when it was stopped before the step was done.
bool StagingPool::retry(const std::stop_token& stop, const std::function<void()>& step) {
  bool failed = false;
  Retry retry(retry_policy(), [&](const Error& error, std::chrono::milliseconds wait) {
    failed = true;
    if (notes_.failed) {
      notes_.failed(error, wait);
    }
  });
  const bool done = retry.run(stop, step);
  if (done && failed && notes_.done) {
    notes_.done();
  }
  return done;
}

}  // namespace re_dms
