// `re_dms demo` is a program of its own, installed or not.
#pragma once

#include <string>
#include <vector>

namespace re_dms {

/// Becomes the demonstration's program, with `words` as its command line and this re_dms as the one
/// it shows. Looks for it beside this program and where it is installed; throws Usage when it is in
/// neither place or cannot be started.
[[noreturn]] void start_demo(const std::vector<std::string>& words);

}  // namespace re_dms
