// What becomes of a value that the target cannot hold.
#pragma once

#include <optional>
#include <string_view>

namespace re_dms {

enum class BadValues {
  Usual,     ///< what is usual for the kind of value: docs/types.md
  Error,     ///< the table is set aside
  Null,      ///< NULL
  Clamp,     ///< the nearest value that the target holds; Usual where there is none
  Truncate,  ///< as much of it as fits; Usual where a part means something else
};

/// "usual", "error", "null", "clamp", "truncate": as the configuration writes it.
std::string_view to_string(BadValues policy);

/// Nothing for a text that to_string does not give.
std::optional<BadValues> bad_values(std::string_view text);

}  // namespace re_dms
