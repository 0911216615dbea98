// Leaving a source as if re_dms had never been there.
#pragma once

#include <string>
#include <vector>

#include "source/settings.h"

namespace re_dms {

enum class TeardownMode { Show, Drop };

/// Drops slot and publication, or only says what it would drop; one line for people each. Without
/// `auto_setup` the publication is not ours and stays. A slot that is being read is refused
/// (Transient, naming the process) before anything is dropped.
std::vector<std::string> drop_slot_and_publication(const SourceSettings& settings,
                                                   TeardownMode mode);

}  // namespace re_dms
