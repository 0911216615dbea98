// How a table begins: what becomes of the rows that the source holds already, and of a table that
// the target has already.
#pragma once

#include <optional>
#include <string_view>

namespace re_dms {

enum class InitialCopy {
  Auto,   ///< rows are copied into a table that re_dms makes; one that is not its own is in the way
  Adopt,  ///< rows are copied; a table that is there is kept and refilled
  Never,  ///< no rows are copied; a table that is there is kept with its rows
};

/// "auto", "adopt", "never": as the configuration and targets write it.
std::string_view to_string(InitialCopy initial_copy);

/// Nothing for a text that to_string does not give.
std::optional<InitialCopy> initial_copy(std::string_view text);

}  // namespace re_dms
