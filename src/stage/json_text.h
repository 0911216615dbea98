// JSON for targets that keep it as a value instead of a text: what they would change or refuse.
#pragma once

#include <string>
#include <string_view>

#include "model/value_limits.h"
#include "stage/parts_json.h"

namespace re_dms {

/// Why a target would refuse or change a JSON text that PostgreSQL accepted; empty: it keeps it. A
/// constant, for people.
std::string_view json_problem(const ValueLimits& limits, std::string_view json);

/// Makes `json` of a value that becomes JSON, no more of it than it takes to see that it is too
/// long. Why there is none, or the target would refuse or change it, as in json_problem; kOtherParts
/// where the value is not one of its type.
std::string_view to_json(const ValueLimits& limits, std::string_view text, PartsToJson& parts,
                         std::string& json);

}  // namespace re_dms
