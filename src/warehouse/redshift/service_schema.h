// The daemon's own tables in Redshift and the views people read.
#pragma once

#include <vector>

#include "warehouse/sql.h"

namespace re_dms::redshift {

/// The statements that make schema re_dms_internal (tables, as duckdb/service_schema.h names them)
/// and schema re_dms (views) where neither is. To be run in one transaction.
std::vector<Sql> service_schema();

/// The table that keeps other transactions of a lane out. 1 to kLanesMax.
Sql lane_fence(int lane);

/// The first statement of a transaction that writes to the service tables: it waits until every
/// other such transaction, of lanes too, is over.
Sql lock_fences();

/// The first statement of a lane's transaction, which writes to the lane's own tables. 1 to
/// kLanesMax.
Sql lock_fence_of(int lane);

}  // namespace re_dms::redshift
