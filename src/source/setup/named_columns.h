// Columns that the configuration names, and the source's tables do not have.
#pragma once

#include <string>
#include <vector>

#include "model/table_schema.h"
#include "source/connection/connection.h"
#include "source/settings.h"

namespace re_dms {

/// What [[table]] sections name in vain, in words. Asks the source nothing where no section names a
/// column. A section that is for no table yet names nothing in vain.
std::vector<std::string> unknown_columns(Connection& plain, const SourceSettings& settings);

/// The source's tables with columns of which types are wanted, as they would be made. Connects only
/// where a section wants types.
std::vector<TableSchema> tables_with_types(const SourceSettings& settings);

}  // namespace re_dms
