// One run of the daemon: the source's thread in front of the flow. The only place that sees every
// stage.
#pragma once

#include <vector>

#include "base/file_system.h"
#include "pipeline/run_state.h"
#include "pipeline/settings.h"
#include "pipeline/stage_thread.h"
#include "source/source.h"

namespace re_dms {

/// Runs until the outcome stops (a signal, an error, `until` reached). Start: lock of the journal
/// directory, the slot where there is none yet, recovery of the journal, then receiving and loading
/// at once, each waiting for its own side only. When the source refuses for good, what the journal
/// holds is loaded first. Throws too when it was stopped before `until`. On return every thread has
/// ended; nothing acknowledged is lost. Throws the first error that a stage could not overcome by
/// retrying. True: tables are set aside.
bool run_pipeline(const PipelineSettings& settings, const UntilPosition& until, FileSystem& files,
                  RunState& state, Outcome& outcome);

/// The part of a first start that needs no running daemon: publication, slot, and the journal's
/// beginning. Safe to repeat. Gives what was left out, with reasons.
std::vector<LeftOut> set_up(const PipelineSettings& settings, FileSystem& files, RunState& state,
                            Outcome& outcome);

/// For a journal that has not been started yet: throws Fatal if anything was loaded into the
/// target. Changes nothing.
void require_fresh_target(const PipelineSettings& settings, const Origin& origin);

}  // namespace re_dms
