// `re_dms run`: the pipeline, the status page and the signals around it.
#pragma once

#include "app/arguments.h"
#include "app/config.h"
#include "base/exit_code.h"
#include "pipeline/settings.h"

namespace re_dms {

/// What the pipeline is built from, by the configuration.
PipelineSettings pipeline_settings(const Config& config);

/// Until a signal, an error, or `until`. The first SIGTERM or SIGINT stops in order, a second one
/// ends the process at once; both lose nothing.
ExitCode run_daemon(const Config& config, const RunCommand& command);

}  // namespace re_dms
