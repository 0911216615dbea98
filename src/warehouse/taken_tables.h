// The tables of a target that a daemon takes over.
#pragma once

#include "base/clock.h"
#include "warehouse/stored_table.h"
#include "warehouse/target_tables.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// In the transaction that takes the target over. Copies that another run began are given up: their
/// tables wait for a copy. Of those in doubt, `settings` says anew which wait for a person. What
/// changes is written down, and `known` has it.
void take_tables(TargetTables& target, const WarehouseSettings& settings, StoredTables& known,
                 SystemTime now);

}  // namespace re_dms
