// Named places where a test ends the process, to see what a restart makes of it.
#pragma once

#include <string_view>

namespace re_dms {

/// Ends the process at once (as kill -9 would) when RE_DMS_FAILPOINT names this place as
/// "name" or "name:n" (the n-th time it is reached, from 1). Costs one load when the variable is
/// not set. Placed before and after each durable step, as "journal-sync-before",
/// "journal-sync-after".
void failpoint(std::string_view name);

}  // namespace re_dms
