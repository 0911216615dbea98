// What the source's catalog says of types that are made of others.
#pragma once

#include <vector>

#include "model/table_schema.h"
#include "source/connection/connection.h"

namespace re_dms {

/// Completes the columns' types with their parts, in one query; none where no column may have any.
/// Outside a transaction it may see the catalog a little later than the answers did. The parts of a
/// type that is too deep or made of too many, or whose attributes have names that are not UTF-8,
/// stay unknown.
void read_type_parts(Connection& connection, std::vector<CatalogTable>& tables);

}  // namespace re_dms
