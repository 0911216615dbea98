#include "app/progress_log.h"

#include <chrono>

#include "app/run_status.h"
#include "base/retry.h"
#include "observe/copies_text.h"
#include "observe/log.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kLookEvery(1);
constexpr std::chrono::seconds kLineEvery(10);

}  // namespace

void ProgressLog::note(const CopyWave& wave, SteadyTime now) {
  if (wave.number != wave_) {
    wave_ = wave.number;
    last_ = now;
  }
  if (wave.ended) {
    if (wave.number != done_ && wave.live > 0) {
      log(LogLevel::Info, "copies_done", "tables that were copied are live",
          {{"tables", wave.live},
           {"rows", wave.rows},
           {"bytes", wave.bytes},
           {"seconds", wave.seconds}});
    }
    done_ = wave.number;
  } else if (now - last_ >= kLineEvery) {
    last_ = now;
    if (wave.copying + wave.catching_up > 0) {
      log(LogLevel::Info, "copy_progress", copies_line(copies_status(wave)),
          {{"rows", wave.rows}, {"bytes", wave.bytes}, {"bytes_estimated", wave.bytes_estimated}});
    }
  }
}

void log_progress(CopyMeter& copies, const std::stop_token& stop) {
  ProgressLog progress;
  const auto look = [&] { progress.note(copies.read().wave, real_clock().steady()); };
  look();
  while (wait_for(kLookEvery, stop)) {
    look();
  }
  // What became live in the run's last second.
  look();
}

}  // namespace re_dms
