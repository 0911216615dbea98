// Removal of staged files that nobody needs any more.
#pragma once

#include <functional>
#include <string_view>

namespace re_dms {

/// Runs `removal`. An Error is logged and goes no further, so that changes do not wait: what is
/// left takes some room and is removed after the next start has taken over the target. `what` names
/// it for people, such as "the files of batch 7".
void clean_up(std::string_view what, const std::function<void()>& removal);

}  // namespace re_dms
