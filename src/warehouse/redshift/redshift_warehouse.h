// The engine for redshift:// URLs, behind warehouse.h.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

std::unique_ptr<Warehouse> make_warehouse(const WarehouseSettings& settings, Clock& clock);

/// As check_warehouse.
std::string check(const WarehouseSettings& settings);

/// As inspect_warehouse.
std::optional<Lsn> inspect(const WarehouseSettings& settings, const Origin& origin);

}  // namespace re_dms::redshift
