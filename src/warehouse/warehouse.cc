#include "warehouse/warehouse.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "observe/advice.h"
#include "warehouse/duckdb/duckdb_warehouse.h"

namespace re_dms {

namespace {

void refuse_unknown(const WarehouseSettings& settings) {
  if (!settings.url.starts_with("duckdb://")) {
    throw Error(ErrorKind::Usage,
                fmt::format("warehouse.url \"{}\" is of a kind that this re_dms does not know",
                            settings.url),
                "Write duckdb:///absolute/path/of/the/file.duckdb");
  }
}

}  // namespace

std::uint64_t spilled_bytes(const WarehouseSettings& settings) {
  using std::filesystem::directory_iterator;
  std::uint64_t bytes = 0;
  // The directory or a file may go at any moment: a load ends.
  std::error_code gone;
  for (directory_iterator file(settings.temporary_directory, gone); file != directory_iterator();
       file.increment(gone)) {
    std::error_code failure;
    const std::uint64_t size = file->file_size(failure);
    bytes += failure ? 0 : size;
  }
  return bytes;
}

/// Everything in a target was durable in the journal first, and no crash removes it from there.
void require_not_ahead(std::string_view name, Lsn loaded, Lsn journal_end) {
  if (loaded > journal_end) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("{} is loaded up to {}, but the journal ends at {}", name, loaded, journal_end),
        or_begin_anew("The journal was emptied or replaced, or the target holds another history: "
                      "changes in between would be missed or skipped. Put back a journal directory "
                      "and a target that belong together. "));
  }
}

void throw_target_gone(std::string_view name) {
  throw Error(
      ErrorKind::Fatal,
      fmt::format("{} holds no data of re_dms, but the journal was loaded into it before", name),
      or_begin_anew(
          "It was moved, emptied or replaced, or its file system is not mounted; the journal no "
          "longer holds everything that was loaded. Put it back. "));
}

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
