// What `re_dms check` finds about a Redshift.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/check.h"
#include "model/origin.h"
#include "model/staged_batch.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

/// As check_warehouse.
std::string check(const WarehouseSettings& settings);

/// As re_dms::check_copy.
std::vector<CheckResult> check_copy(const WarehouseSettings& settings, const StagedLayer& probe);

/// As re_dms::check_types.
std::vector<CheckResult> check_types(const std::vector<TableSchema>& tables);

/// As inspect_warehouse.
std::optional<Lsn> inspect(const WarehouseSettings& settings, const Origin& origin);

}  // namespace re_dms::redshift
