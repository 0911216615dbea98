// The configuration is read again while the daemon runs.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "pipeline/run_state.h"

namespace re_dms {

/// Which tables are never copied by this configuration.
void forbid_copies(TableStates& tables, const TableChoice& choice);

class Reload {
 public:
  /// `config` is what the daemon was started with; `state` must outlive it.
  Reload(Config config, RunState& state) : config_(std::move(config)), state_(state) {}

  /// Reads the file again: which tables are replicated, how [[table]] sections say that they begin,
  /// the types of their columns and batch.interval count from now on; other keys that were changed
  /// are named and keep what they were. A file with faults changes nothing; they are said in the
  /// log.
  void read_again();

 private:
  Config config_;
  RunState& state_;
};

}  // namespace re_dms
