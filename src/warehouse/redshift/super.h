// What becomes SUPER, and how.
#pragma once

#include <optional>
#include <string>

#include "model/table_schema.h"
#include "model/value_limits.h"

namespace re_dms::redshift {

/// Why the type does not become SUPER.
std::optional<std::string> super_refusal(const ColumnType& type);

/// What COPY does not take into SUPER, of a type that becomes it.
ValueLimits super_limits(const ColumnType& type);

}  // namespace re_dms::redshift
