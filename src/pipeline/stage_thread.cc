#include "pipeline/stage_thread.h"

#include <fmt/format.h>

#include <ctime>
#include <utility>

#include "base/thread.h"
#include "observe/log.h"

namespace re_dms {

namespace {

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

void Outcome::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) {
      error_ = error;
    }
  }
  stop_.request_stop();
}

std::optional<Error> Outcome::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void run_stage(const std::string& name, Outcome& outcome,
               const std::function<void(const std::stop_token&)>& work) {
  try {
    work(outcome.stop_token());
  } catch (const Error& error) {
    outcome.fail(error);
  } catch (const std::exception& unexpected) {
    outcome.fail(Error(ErrorKind::Fatal, fmt::format("{} stopped by {}", name, unexpected.what())));
  }
}

StageThread::StageThread(std::string name, Outcome& outcome,
                         std::function<void(const std::stop_token&)> work)
    : thread_([name = std::move(name), &outcome, work = std::move(work)] {
        begin_thread(name);
        run_stage(name, outcome, work);
        log(LogLevel::Debug, "stage_ended", name,
            {{"stage", name}, {"cpu_seconds", cpu_seconds()}});
      }) {}

}  // namespace re_dms
