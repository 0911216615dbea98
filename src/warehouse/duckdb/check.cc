#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "warehouse/duckdb/duckdb_warehouse.h"
#include "warehouse/duckdb/library.h"
#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

namespace {

bool is_writable(const std::string& path) {
  return ::access(path.c_str(), W_OK | R_OK) == 0;
}

}  // namespace

std::string check(const WarehouseSettings& settings) {
  try {
    library();
    const std::string path = file_of(settings.url);
    const std::string directory = std::filesystem::path(path).parent_path().string();
    if (!std::filesystem::is_directory(directory)) {
      return fmt::format(
          "the directory {} of the warehouse file does not exist. Create it and give "
          "it to the user that runs re_dms",
          directory);
    }
    // DuckDB keeps a log file beside the database.
    if (!is_writable(directory)) {
      return fmt::format(
          "the directory {} of the warehouse file cannot be written to. Give it to "
          "the user that runs re_dms",
          directory);
    }
    if (std::filesystem::exists(path)) {
      if (!is_writable(path)) {
        return fmt::format("the warehouse file {} cannot be written to", path);
      }
      Session(SessionSettings{path, settings.memory_bytes, settings.temporary_directory},
              FileAccess::ReadOnly);
    }
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace re_dms::duckdb
