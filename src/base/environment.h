// Environment variables that are this program's alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace re_dms {

/// Takes these variables out of the process's environment: libraries and commands that it runs no
/// longer see them. Once, before the first thread.
void take_variables(const std::vector<std::string>& names);

/// A variable's value, taken or not; nothing for one that is not set.
std::optional<std::string> environment_variable(const std::string& name);

}  // namespace re_dms
