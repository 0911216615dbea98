// From the pipeline's state to what the status page shows.
#pragma once

#include "base/clock.h"
#include "observe/status.h"
#include "pipeline/run_state.h"
#include "pipeline/settings.h"

namespace re_dms {

CopiesStatus copies_status(const CopyWave& wave);

class RunStatus {
 public:
  /// All references outlive it. read() may be called from any thread.
  RunStatus(const PipelineSettings& settings, RunState& state, const Clock& clock)
      : settings_(settings), state_(state), clock_(clock), started_(clock.steady()) {}

  /// The status now; also sets the gauges that metrics show.
  DaemonStatus read() const;

 private:
  void set_gauges(const DaemonStatus& status) const;
  void set_memory_gauges() const;
  void set_table_gauges(const TablesStatus& tables) const;
  static void count_absence(DaemonStatus& status, const RunState::View& view);

  const PipelineSettings& settings_;
  RunState& state_;
  const Clock& clock_;
  SteadyTime started_;
};

}  // namespace re_dms
