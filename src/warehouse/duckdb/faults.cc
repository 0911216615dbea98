#include "warehouse/duckdb/faults.h"

#include <fmt/format.h>

#include <algorithm>

namespace re_dms::duckdb {

namespace {

constexpr std::string_view kRaiseMemory =
    "Raise batch.memory, of which DuckDB gets a share, so that other tables do not meet the same "
    "error";
constexpr std::string_view kFreeSpace = "Free space on the file system";

/// Errors that may not recur when the same statement is tried later, whatever table it is for.
constexpr bool is_of_the_target(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_TRANSACTION:
    case DUCKDB_ERROR_CONNECTION:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_INTERRUPT:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
      return true;
    default:
      return false;
  }
}

/// Errors caused by the statement itself or by how much it reads.
constexpr bool is_of_the_statement(duckdb_error_type type) {
  return type == DUCKDB_ERROR_OUT_OF_MEMORY || type == DUCKDB_ERROR_INTERNAL;
}

/// Errors whose text quotes names and paths, and values in no other way than '…'.
constexpr bool quotes_names(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_CATALOG:
    case DUCKDB_ERROR_BINDER:
    case DUCKDB_ERROR_DEPENDENCY:
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_PERMISSION:
    case DUCKDB_ERROR_OUT_OF_MEMORY:
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

/// DuckDB reports this in many ways: as out of memory when the temporary directory is full, as a
/// failed COMMIT when the log beside the file could not be written.
bool is_out_of_room(duckdb_error_type type, std::string_view text) {
  const bool offload = type == DUCKDB_ERROR_OUT_OF_MEMORY && contains(text, "failed to offload");
  const bool disk = type == DUCKDB_ERROR_IO || type == DUCKDB_ERROR_OUT_OF_MEMORY ||
                    (contains(text, "ould not write file \"") &&
                     (type == DUCKDB_ERROR_TRANSACTION || type == DUCKDB_ERROR_FATAL));
  return offload || (disk && (contains(text, "No space left") || contains(text, "quota") ||
                              contains(text, "failed to offload")));
}

ErrorKind kind_of(duckdb_error_type type, std::string_view text, ErrorKind fault) {
  if (is_of_the_target(type) || is_out_of_room(type, text)) {
    return ErrorKind::Transient;
  }
  if (is_of_the_statement(type)) {
    return fault == ErrorKind::Table ? ErrorKind::Table : ErrorKind::Transient;
  }
  return fault;
}

std::string advice_for(duckdb_error_type type, std::string_view text, ErrorKind kind) {
  if (is_out_of_room(type, text)) {
    return fmt::format(
        "{} of the warehouse file or of DuckDB's temporary directory; nothing is "
        "lost meanwhile, changes wait in the journal",
        kFreeSpace);
  }
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) {
    return kind == ErrorKind::Table
               ? std::string(kRaiseMemory)
               : "Raise batch.memory, of which DuckDB gets its share; nothing is lost meanwhile, "
                 "changes wait in the journal";
  }
  if (type == DUCKDB_ERROR_INTERNAL && kind == ErrorKind::Table) {
    return "This table triggers a bug in DuckDB: please report the message";
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
            advice_for(DUCKDB_ERROR_IO, text, ErrorKind::Transient)};
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
  const ErrorKind kind = kind_of(type, text, fault);
  return {kind, fmt::format("DuckDB: {}", without_values(type, text)),
          advice_for(type, text, kind)};
}

bool is_out_of_memory(const Error& error) {
  // A COMMIT that finds none reports a failed transaction.
  return contains(error.message(), "Out of Memory Error") ||
         contains(error.message(), "could not allocate block") ||
         contains(error.message(), "failed to pin block");
}

bool is_of_the_disk(const Error& error) {
  const std::string& text = error.message();
  return is_out_of_room(error) || contains(text, "IO Error") || contains(text, "ould not write") ||
         contains(text, "ould not read") || contains(text, "fsync");
}

Error commit_error(const Error& error) {
  return {ErrorKind::Transient, error.message(),
          is_out_of_memory(error) ? std::string(kRaiseMemory) : error.advice()};
}

bool is_out_of_room(const Error& error) {
  return contains(error.advice(), kFreeSpace);
}

std::string without_values(duckdb_error_type type, std::string_view text) {
  const std::string_view line = first_line(text);
  std::size_t cut = line.find('\'');
  // What could not be written is quoted by its path.
  if (!quotes_names(type) && !is_out_of_room(type, text)) {
    // A value may hold quotes itself: where it ends cannot be told.
    constexpr std::string_view kUnquoted = "with value ";
    const std::size_t unquoted = line.find(kUnquoted);
    cut = std::min(
        {cut, line.find('"'), unquoted == line.npos ? unquoted : unquoted + kUnquoted.size() - 1});
  }
  return cut == line.npos ? std::string(line) : fmt::format("{}…", line.substr(0, cut + 1));
}

}  // namespace re_dms::duckdb
