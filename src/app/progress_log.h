// The log's lines about copies: one every ten seconds while tables are copied or catch up, one when
// they are done. Nothing otherwise.
#pragma once

#include <cstdint>
#include <stop_token>

#include "base/clock.h"
#include "tables/copy_meter.h"

namespace re_dms {

class ProgressLog {
 public:
  /// Takes what is known at `now` and logs it where that is due.
  void note(const CopyWave& wave, SteadyTime now);

 private:
  SteadyTime last_{};  ///< line, or the wave's beginning
  std::uint64_t wave_ = 0;
  std::uint64_t done_ = 0;  ///< the last wave whose end is logged
};

/// Looks once a second, and once more when stop is requested. For a thread of its own; `copies`
/// outlives it.
void log_progress(CopyMeter& copies, const std::stop_token& stop);

}  // namespace re_dms
