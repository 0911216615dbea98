#include "warehouse/warehouse.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "observe/advice.h"
#include "warehouse/duckdb/duckdb_warehouse.h"
#include "warehouse/duckdb/types.h"
#include "warehouse/redshift/check.h"
#include "warehouse/redshift/redshift_warehouse.h"
#include "warehouse/redshift/session.h"
#include "warehouse/redshift/types.h"

namespace re_dms {

namespace {

enum class Engine { DuckDb, Redshift };

Engine engine_of(const std::string& url) {
  if (url.starts_with("duckdb://")) {
    return Engine::DuckDb;
  }
  if (url.starts_with("redshift://")) {
    return Engine::Redshift;
  }
  throw Error(ErrorKind::Usage, "warehouse.url is of a kind that this re_dms does not know",
              "Write redshift://user@host:5439/database, or "
              "duckdb:///absolute/path/of/the/file.duckdb");
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
                      "and a target that belong together. "))
        .needing_a_person();
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

StageFormat stage_format(const WarehouseSettings& settings, std::string_view random) {
  if (engine_of(settings.url) == Engine::Redshift) {
    // COPY may take a text in quotes for NULL too.
    return {.null_text = fmt::format("~null-{}~", random),
            .copy_manifests = true,
            .row_bytes_max = redshift::kRowBytesMax,
            .limits = redshift::value_limits};
  }
  return {.rows_together = duckdb::kRowGroupRows, .limits = duckdb::value_limits};
}

std::string target_name(const WarehouseSettings& settings) {
  return engine_of(settings.url) == Engine::Redshift
             ? "Redshift at " + redshift::place(settings.url)
             : settings.url;
}

void check_warehouse_url(const WarehouseSettings& settings) {
  if (engine_of(settings.url) == Engine::Redshift) {
    redshift::check_url(settings.url, !settings.iam_login);
  }
}

std::unique_ptr<Warehouse> open_warehouse(const WarehouseSettings& settings, Clock& clock) {
  return engine_of(settings.url) == Engine::Redshift ? redshift::make_warehouse(settings, clock)
                                                     : duckdb::make_warehouse(settings, clock);
}

std::string check_warehouse(const WarehouseSettings& settings) {
  try {
    return engine_of(settings.url) == Engine::Redshift ? redshift::check(settings)
                                                       : duckdb::check(settings);
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<CheckResult> check_copy(const WarehouseSettings& settings, const StagedLayer& probe) {
  return engine_of(settings.url) == Engine::Redshift ? redshift::check_copy(settings, probe)
                                                     : std::vector<CheckResult>{};
}

std::vector<CheckResult> check_types(const WarehouseSettings& settings,
                                     const std::vector<TableSchema>& tables) {
  return engine_of(settings.url) == Engine::Redshift ? redshift::check_types(tables)
                                                     : std::vector<CheckResult>{};
}

std::optional<Lsn> inspect_warehouse(const WarehouseSettings& settings, const Origin& origin) {
  return engine_of(settings.url) == Engine::Redshift ? redshift::inspect(settings, origin)
                                                     : duckdb::inspect(settings, origin);
}

}  // namespace re_dms
