// What statements of the target do.
#pragma once

#include <string_view>

namespace re_dms {

/// "copy", "merge", "commit", "lock" or "other".
std::string_view statement_kind(std::string_view statement);

}  // namespace re_dms
