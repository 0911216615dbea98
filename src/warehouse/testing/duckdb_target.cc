#include "warehouse/testing/duckdb_target.h"

#include <algorithm>

#include "base/error.h"
#include "warehouse/duckdb/library.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::testing {

DuckdbTarget::DuckdbTarget(const std::string& directory)
    : directory_(directory), path_(directory + "/warehouse.duckdb") {}

WarehouseSettings DuckdbTarget::settings() const {
  WarehouseSettings settings;
  settings.url = "duckdb://" + path_;
  settings.memory_bytes = 256ULL << 20U;
  settings.temporary_directory = directory_ + "/spill";
  return settings;
}

std::vector<std::string> DuckdbTarget::select(const std::string& query) {
  duckdb::Session session({path_, 0, ""}, duckdb::FileAccess::ReadOnly);
  std::vector<std::string> lines;
  for (const Row& row :
       session.query(sql("SELECT * FROM query({})", literal(query)))) {
    std::string line;
    for (const auto& value : row) {
      line += (line.empty() && &value == row.data() ? "" : "|") + value.value_or("NULL");
    }
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void DuckdbTarget::execute(const std::string& statement) {
  const duckdb::Library& library = duckdb::library();
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  RE_DMS_CHECK(library.open_ext(path_.c_str(), &database, nullptr, nullptr) == DuckDBSuccess);
  RE_DMS_CHECK(library.connect(database, &connection) == DuckDBSuccess);
  const bool done = library.query(connection, statement.c_str(), nullptr) == DuckDBSuccess;
  library.disconnect(&connection);
  library.close(&database);
  RE_DMS_CHECK(done);
}

std::unique_ptr<TestTarget> make_duckdb_target(const std::string& directory) {
  return std::make_unique<DuckdbTarget>(directory);
}

}  // namespace re_dms::testing
