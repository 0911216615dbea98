#include "demo/stop_signals.h"

#include <fmt/format.h>

#include <cstring>
#include <ctime>

#include "base/error.h"

namespace re_dms::demo {

StopSignals::StopSignals() {
  sigemptyset(&awaited_);
  sigaddset(&awaited_, SIGINT);
  sigaddset(&awaited_, SIGTERM);
  sigaddset(&awaited_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
  pipe_before_ = std::signal(SIGPIPE, SIG_IGN);
}

StopSignals::~StopSignals() {
  // A second Ctrl-C during the cleaning up has nothing left to stop.
  const timespec at_once{};
  while (sigtimedwait(&awaited_, nullptr, &at_once) > 0) {
  }
  std::signal(SIGPIPE, pipe_before_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignals::pause(std::chrono::milliseconds duration) {
  const timespec patience{duration.count() / 1000, (duration.count() % 1000) * 1'000'000};
  const int signal = sigtimedwait(&awaited_, nullptr, &patience);
  if (signal > 0) {
    came_ = true;
    throw Error(ErrorKind::Fatal, fmt::format("stopped by SIG{}", sigabbrev_np(signal)));
  }
}

}  // namespace re_dms::demo
