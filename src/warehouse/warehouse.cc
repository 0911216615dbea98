#include "warehouse/warehouse.h"

#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/duckdb/duckdb_warehouse.h"

namespace re_dms {

namespace {

void refuse_unknown(const WarehouseSettings& settings) {
  if (!settings.url.starts_with("duckdb://")) {
    throw Error(ErrorKind::Usage,
                fmt::format("warehouse.url \"{}\" is of no kind this re_dms knows", settings.url),
                "Write duckdb:///absolute/path/of/the/file.duckdb");
  }
}

}  // namespace

std::unique_ptr<Warehouse> open_warehouse(const WarehouseSettings& settings, Clock& clock) {
  refuse_unknown(settings);
  return duckdb::make_warehouse(settings, clock);
}

std::string check_warehouse(const WarehouseSettings& settings) {
  try {
    refuse_unknown(settings);
  } catch (const Error& error) {
    return error.what();
  }
  return duckdb::check(settings);
}

std::optional<Lsn> inspect_warehouse(const WarehouseSettings& settings, const Origin& origin) {
  refuse_unknown(settings);
  return duckdb::inspect(settings, origin);
}

}  // namespace re_dms
