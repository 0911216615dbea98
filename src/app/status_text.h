// The status of a daemon for people: `re_dms status` and the page at "/".
#pragma once

#include <string>

#include "observe/status.h"

namespace re_dms {

/// A block of aligned lines, then the tables that are not replicated, each with its reason.
std::string to_text(const DaemonStatus& status);

/// "4.2 s behind, 118 KiB of WAL" or "up to date".
std::string lag_text(const LagStatus& lag);

/// "12 live, 1 set aside": how many are in each state that any is in.
std::string tables_text(const TablesStatus& tables);

}  // namespace re_dms
