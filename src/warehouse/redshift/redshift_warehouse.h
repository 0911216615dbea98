// The engine for redshift:// URLs, behind warehouse.h.
#pragma once

#include <memory>

#include "base/clock.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

std::unique_ptr<Warehouse> make_warehouse(const WarehouseSettings& settings, Clock& clock);

}  // namespace re_dms::redshift
