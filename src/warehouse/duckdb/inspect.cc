// Looks at a warehouse file without writing to it.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "warehouse/duckdb/duckdb_warehouse.h"
#include "warehouse/duckdb/library.h"
#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

namespace {

bool is_writable(const std::string& path) {
  return ::access(path.c_str(), W_OK | R_OK) == 0;
}

/// Refuses a place where a file can be neither made nor written. DuckDB keeps a log beside it.
void check_place(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (!std::filesystem::is_directory(directory)) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the directory {} of the warehouse file does not exist", directory),
                "Create it and give it to the user that runs re_dms");
  }
  if (!is_writable(directory)) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the directory {} of the warehouse file cannot be written to", directory),
        "Give it to the user that runs re_dms");
  }
  if (std::filesystem::exists(path) && !is_writable(path)) {
    throw Error(ErrorKind::Fatal, fmt::format("the warehouse file {} cannot be written to", path),
                "Give it to the user that runs re_dms");
  }
}

/// The open file, null when it is not there; throws when it could not be opened or made.
std::unique_ptr<Session> look_into(const WarehouseSettings& settings) {
  library();
  const std::string path = file_of(settings.url);
  check_place(path);
  if (!std::filesystem::exists(path)) {
    return nullptr;
  }
  return std::make_unique<Session>(
      SessionSettings{path, settings.memory_bytes, settings.temporary_directory,
                      settings.temporary_reserve_bytes, settings.watch},
      FileAccess::ReadOnly);
}

}  // namespace

std::string check(const WarehouseSettings& settings) {
  try {
    look_into(settings);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::optional<Lsn> inspect(const WarehouseSettings& settings, const Origin& origin) {
  const std::unique_ptr<Session> session = look_into(settings);
  if (session == nullptr) {
    return std::nullopt;
  }
  ServiceTables service(*session);
  if (!service.exist()) {
    return std::nullopt;
  }
  service.check_belongs_to(origin);
  return service.stored_position().loaded;
}

}  // namespace re_dms::duckdb
