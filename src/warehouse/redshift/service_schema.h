// The daemon's own tables in Redshift and the views people read.
#pragma once

#include <vector>

#include "warehouse/sql.h"

namespace re_dms::redshift {

/// The statements that make schema re_dms_internal (tables, as duckdb/service_schema.h names them)
/// and schema re_dms (views) where neither is. To be run in one transaction.
std::vector<Sql> service_schema();

/// The statements that bring the schemas of an earlier format to kServiceFormat.
std::vector<Sql> migration();

}  // namespace re_dms::redshift
