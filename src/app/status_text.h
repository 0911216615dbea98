// The status of a daemon for people: `re_dms status` and the page at "/".
#pragma once

#include <string>

#include "observe/status.h"

namespace re_dms {

/// A block of aligned lines, then the tables that are not replicated, each with its reason.
std::string to_text(const DaemonStatus& status);

}  // namespace re_dms
