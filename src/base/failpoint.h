// Named places where a test ends or stops the process, to see what a restart makes of it.
#pragma once

#include <string_view>

namespace re_dms {

/// Ends the process at once, as kill -9 would, where RE_DMS_FAILPOINT says so. The variable holds
/// places with commas between them: "name", or "name:n" for the n-th time it is reached (from 1);
/// "name=stop" or "name:n=stop" stops the process there as SIGSTOP does, and SIGCONT resumes it;
/// "name=overflow" or "name:n=overflow" uses up the thread's stack. Before that, the process writes
/// the line "failpoint name" to standard error. Costs one load when the variable is not set.
///
/// Placed before and after each durable step, as "journal-sync-before", "journal-sync-after".
/// tests/crash/failpoints.py finds the names in the source and reaches every one of them.
void failpoint(std::string_view name);

}  // namespace re_dms
