// What people ask of single tables, as the target keeps it.
#pragma once

#include <vector>

#include "base/clock.h"
#include "warehouse/service_tables.h"
#include "warehouse/target_tables.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// In the target's open transaction: does what people ask of tables, one after the other, and
/// writes it down. Gives those that are asked about as they are then.
std::vector<TargetTable> grant(TargetTables& target, const WarehouseSettings& settings,
                               const StoredPosition& stored, StoredTables& known,
                               const std::vector<TableWish>& wishes, SystemTime now);

}  // namespace re_dms
