// A DuckDB file as the target: the embedded default that needs no server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "warehouse/warehouse.h"

namespace re_dms::duckdb {

/// The engine for duckdb:///absolute/path. Touches neither library nor file before the first call.
/// Throws Usage for a URL it cannot use. The clock must outlive it.
std::unique_ptr<Warehouse> make_warehouse(const WarehouseSettings& settings, Clock& clock);

/// As re_dms::check_warehouse, for duckdb:// URLs.
std::string check(const WarehouseSettings& settings);

/// As re_dms::inspect_warehouse, for duckdb:// URLs.
std::optional<Lsn> inspect(const WarehouseSettings& settings, const Origin& origin);

}  // namespace re_dms::duckdb
