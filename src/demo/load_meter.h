// Adds up what the daemon reports over its restarts, and turns it into the live line.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "observe/status.h"

namespace re_dms::demo {

class LoadMeter {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  /// Takes one report, or none while the daemon does not answer.
  void observe(const std::optional<DaemonStatus>& status, Moment now);

  /// "  12 s   18,342 rows/s   312,004 rows in 9 batches   lag 1.2 MiB, 0.8 s"; `since` is second
  /// 0.
  std::string line(Moment since, Moment now) const;

 private:
  struct Sample {
    Moment at;
    std::uint64_t rows = 0;
  };

  double rows_per_second() const;

  /// Of daemons that were killed or stopped: their counters begin at 0 again.
  std::uint64_t rows_before_ = 0;
  std::uint64_t batches_before_ = 0;
  std::optional<DaemonStatus> last_;
  bool answering_ = false;
  std::deque<Sample> samples_;
};

}  // namespace re_dms::demo
