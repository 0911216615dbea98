// JSON for targets that keep it as a value instead of a text: what they would change or refuse, and
// arrays as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/value_limits.h"

namespace re_dms {

/// Why a target would refuse or change a JSON text that PostgreSQL accepted; empty: it keeps it. A
/// constant, for people.
std::string_view json_problem(const ValueLimits& limits, std::string_view json);

/// An array's text, as PostgreSQL writes it, as JSON. Of one whose numbering does not begin at 1
/// the bounds are in no JSON: nothing.
std::optional<std::string> json_of_array(JsonElements elements, std::string_view array);

/// Why a target would refuse or change the JSON of an array's text; empty: it keeps it.
std::string_view array_problem(const ValueLimits& limits, std::string_view array);

}  // namespace re_dms
