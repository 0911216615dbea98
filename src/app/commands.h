// What each command does, once the command line and the configuration are read.
#pragma once

#include "app/arguments.h"
#include "base/exit_code.h"

namespace re_dms {

/// Runs the command; blocks until it is done. Signals must be blocked in every thread before.
ExitCode execute(const Arguments& arguments);

}  // namespace re_dms
