// Whether the target reads what is staged.
#pragma once

#include <vector>

#include "model/check.h"
#include "stage/open_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// Stages one row as a batch would be, has the target load it into a temporary table, and removes
/// it. Nothing for a target that reads files of this machine.
std::vector<CheckResult> check_load(const StageSettings& stage, const WarehouseSettings& warehouse);

}  // namespace re_dms
