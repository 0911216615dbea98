#include "warehouse/duckdb/faults.h"

#include <fmt/format.h>

namespace re_dms::duckdb {

namespace {

/// Faults of the machine or of DuckDB itself: the same statement may succeed later.
constexpr bool is_of_the_target(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_TRANSACTION:
    case DUCKDB_ERROR_CONNECTION:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_INTERRUPT:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_OUT_OF_MEMORY:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
      return true;
    default:
      return false;
  }
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// "… Conflicting lock is held in /usr/bin/duckdb (PID 4711) …" gives "/usr/bin/duckdb (PID 4711)".
std::string holder_of_lock(std::string_view text) {
  constexpr std::string_view kBefore = "lock is held in ";
  const std::size_t at = text.find(kBefore);
  if (at == std::string_view::npos) {
    return "another process";
  }
  const std::string_view rest = text.substr(at + kBefore.size());
  const std::size_t end = rest.find(')');
  return std::string(end == std::string_view::npos ? first_line(rest) : rest.substr(0, end + 1));
}

std::string advice_for(duckdb_error_type type, std::string_view text) {
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) {
    return "Raise batch.memory, of which DuckDB gets its share, or give its temporary directory "
           "more "
           "room; nothing is lost meanwhile, changes wait in the journal";
  }
  if (contains(text, "No space left") || contains(text, "quota")) {
    return "Free space on the file system of the warehouse file or of DuckDB's temporary "
           "directory; "
           "nothing is lost meanwhile, changes wait in the journal";
  }
  return {};
}

}  // namespace

Error open_error(const std::string& path, std::string_view text) {
  if (contains(text, "Could not set lock") || contains(text, "lock is held")) {
    return {
        ErrorKind::Transient,
        fmt::format("the warehouse file {} is held by {}", path, holder_of_lock(text)),
        "Loading goes on as soon as that process closes the file; readers should open it "
        "read-only, briefly, and retry. Nothing is lost meanwhile, changes wait in the journal"};
  }
  if (contains(text, "No space left") || contains(text, "Too many open files")) {
    return {ErrorKind::Transient,
            fmt::format("cannot open the warehouse file {}: {}", path, first_line(text)),
            advice_for(DUCKDB_ERROR_IO, text)};
  }
  return {
      ErrorKind::Fatal,
      fmt::format("cannot open the warehouse file {}: {}", path, first_line(text)),
      "Check that its directory exists, that the user that runs re_dms may write there, and that "
      "the file is a DuckDB database no newer than the library"};
}

bool is_unreplayable_log(std::string_view text) {
  return text.starts_with("INTERNAL Error") && contains(text, "replaying WAL");
}

Error statement_error(duckdb_error_type type, std::string_view text, ErrorKind fault) {
  const ErrorKind kind = is_of_the_target(type) ? ErrorKind::Transient : fault;
  return {kind, fmt::format("DuckDB: {}", without_values(text)), advice_for(type, text)};
}

std::string without_values(std::string_view text) {
  std::string shown;
  bool in_value = false;
  for (const char c : first_line(text)) {
    if (c == '\'') {
      shown += in_value ? "…'" : "'";
      in_value = !in_value;
    } else if (!in_value) {
      shown += c;
    }
  }
  return in_value ? shown + "…" : shown;
}

}  // namespace re_dms::duckdb
