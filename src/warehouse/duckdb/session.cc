#include "warehouse/duckdb/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/retry.h"
#include "warehouse/duckdb/faults.h"

namespace re_dms::duckdb {

namespace {

/// Options of a database that is being opened.
class Configuration {
 public:
  explicit Configuration(const Library& duckdb) : duckdb_(duckdb) {
    RE_DMS_CHECK(duckdb_.create_config(&config_) == DuckDBSuccess);
  }

  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;
  Configuration(Configuration&&) = delete;
  Configuration& operator=(Configuration&&) = delete;

  ~Configuration() { duckdb_.destroy_config(&config_); }

  void set(const char* name, const std::string& value) {
    if (duckdb_.set_config(config_, name, value.c_str()) == DuckDBError) {
      throw Error(ErrorKind::Fatal, fmt::format("DuckDB rejects the setting {} = {}", name, value));
    }
  }

  duckdb_config get() const { return config_; }

 private:
  const Library& duckdb_;
  duckdb_config config_ = nullptr;
};

}  // namespace

/// The result of a statement, freed with it.
class Session::Result {
 public:
  explicit Result(const Library& duckdb) : duckdb_(duckdb) {}

  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result(Result&&) = delete;
  Result& operator=(Result&&) = delete;

  ~Result() { duckdb_.destroy_result(&result_); }

  void run(duckdb_connection connection, const Sql& statement, Blame blame) {
    if (duckdb_.query(connection, statement.text().c_str(), &result_) == DuckDBError) {
      const char* text = duckdb_.result_error(&result_);
      throw statement_error(duckdb_.result_error_type(&result_), text == nullptr ? "?" : text,
                            blame == Blame::Table ? ErrorKind::Table : ErrorKind::Fatal);
    }
  }

  std::uint64_t rows_changed() { return duckdb_.rows_changed(&result_); }

  /// All rows; every column is VARCHAR.
  std::vector<Row> rows() {
    std::vector<Row> found;
    while (duckdb_data_chunk chunk = duckdb_.fetch_chunk(result_)) {
      append_rows(chunk, found);
      duckdb_.destroy_data_chunk(&chunk);
    }
    return found;
  }

 private:
  void append_rows(duckdb_data_chunk chunk, std::vector<Row>& to) {
    const idx_t columns = duckdb_.column_count(&result_);
    const idx_t rows = duckdb_.data_chunk_get_size(chunk);
    const std::size_t first = to.size();
    to.resize(first + rows, Row(columns));
    for (idx_t column = 0; column < columns; ++column) {
      duckdb_vector vector = duckdb_.data_chunk_get_vector(chunk, column);
      auto* values = static_cast<duckdb_string_t*>(duckdb_.vector_get_data(vector));
      std::uint64_t* validity = duckdb_.vector_get_validity(vector);
      for (idx_t row = 0; row < rows; ++row) {
        if (validity == nullptr || duckdb_.validity_row_is_valid(validity, row)) {
          to[first + row][column].emplace(duckdb_.string_t_data(&values[row]),
                                          duckdb_.string_t_length(values[row]));
        }
      }
    }
  }

  const Library& duckdb_;
  duckdb_result result_{};
};

namespace {

/// What leaves half of the reserve free: a load may take the other half, as it is loads that free
/// the disk.
std::uint64_t temporary_bytes_max(const SessionSettings& settings) {
  constexpr std::uint64_t kLeast = 64U << 20;
  FileSystem& files = real_file_system();
  if (!files.exists(settings.temporary_directory)) {
    files.create_directories(settings.temporary_directory);
  }
  const std::uint64_t free = files.space(settings.temporary_directory).free_bytes;
  const std::uint64_t kept = settings.temporary_reserve_bytes / 2;
  return std::max(free > kept ? free - kept : 0, kLeast);
}

/// A log that holds a column's default which calls a function is refused by DuckDB 1.4 when it
/// opens the file, and replayed when it attaches the file to an open database.
void replay_log(SessionSettings settings) {
  const std::string path = std::exchange(settings.path, ":memory:");
  SavedBlocks saved(path);  // closed behind the session
  Session session(settings, FileAccess::ReadWrite);
  session.execute(sql("ATTACH {} AS replayed", literal(path)));
  session.save_blocks(saved, "replayed");
  session.execute(sql("DETACH replayed"));
}

}  // namespace

Session::Session(const SessionSettings& settings, FileAccess access, std::stop_token stop)
    : duckdb_(library()), watch_(settings.watch), saved_(settings.path), stop_(std::move(stop)) {
  try {
    open(settings, access);
  } catch (...) {
    close();
    throw;
  }
}

Session::~Session() {
  close();
}

void Session::open(const SessionSettings& settings, FileAccess access) {
  go_on_unless_stopped();
  if (access == FileAccess::ReadWrite) {
    restore_blocks(settings.path);
    remove_unfinished_file(settings.path);
  } else if (needs_restoring(settings.path)) {
    throw Error(ErrorKind::Fatal,
                fmt::format("a crash interrupted a load of the warehouse file {}", settings.path),
                "`re_dms run`, with the journal that belongs to it, repairs the file");
  }
  Configuration config(duckdb_);
  config.set("access_mode", access == FileAccess::ReadWrite ? "READ_WRITE" : "READ_ONLY");
  // One thread: on small machines every further one takes time from the database that is copied.
  config.set("threads", "1");
  // Rows have no order of their own; keeping the order of the files costs memory.
  config.set("preserve_insertion_order", "false");
  // A COMMIT then writes the file itself instead of a log that closing the file would copy into it,
  // and commit() knows when that is.
  config.set("checkpoint_threshold", "1B");
  config.set("autoinstall_known_extensions", "false");
  config.set("autoload_known_extensions", "false");
  if (settings.memory_bytes != 0) {
    config.set("memory_limit", fmt::format("{}B", settings.memory_bytes));
  }
  // Read-only access creates no directory, because it might belong to another user.
  if (access == FileAccess::ReadWrite && !settings.temporary_directory.empty()) {
    config.set("temp_directory", settings.temporary_directory);
    config.set("max_temp_directory_size", fmt::format("{}B", temporary_bytes_max(settings)));
  }
  std::string problem = try_open(settings.path, config.get());
  if (access == FileAccess::ReadWrite && is_unreplayable_log(problem)) {
    replay_log(settings);
    problem = try_open(settings.path, config.get());
  }
  if (!problem.empty()) {
    throw open_error(settings.path, problem);
  }
  RE_DMS_CHECK(duckdb_.connect(database_, &connection_) == DuckDBSuccess);
  if (stop_.stop_possible()) {
    interrupts_.emplace(duckdb_, connection_, stop_);
  }
  execute(sql("SET TimeZone = 'UTC'"));
  catalog_ = query(sql("SELECT current_database()")).at(0).at(0).value();
  // Closing the file would write a log into it that somebody else left.
  if (access == FileAccess::ReadWrite && real_file_system().exists(settings.path + ".wal")) {
    save_blocks(saved_, catalog_);
  }
}

std::string Session::try_open(const std::string& path, duckdb_config config) {
  char* problem = nullptr;
  if (duckdb_.open_ext(path.c_str(), &database_, config, &problem) == DuckDBSuccess) {
    return {};
  }
  std::string text = problem == nullptr ? "?" : problem;
  duckdb_.free(problem);
  return text;
}

void Session::close() {
  interrupts_.reset();
  if (connection_ != nullptr) {
    duckdb_.disconnect(&connection_);
  }
  if (database_ != nullptr) {
    duckdb_.close(&database_);
  }
  if (committed_) {
    saved_.forget();
  } else {
    saved_.close();
  }
}

void Session::go_on_unless_stopped() const {
  if (stop_.stop_requested()) {
    throw Stopped();
  }
}

std::uint64_t Session::execute(const Sql& statement, Blame blame) {
  go_on_unless_stopped();
  const WatchedStatement watched(watch_, statement.text());
  Result result(duckdb_);
  run(result, statement, blame);
  return result.rows_changed();
}

std::vector<Row> Session::query(const Sql& select, Blame blame) {
  return texts(sql("SELECT COLUMNS(*)::VARCHAR FROM ({})", select), blame);
}

std::vector<Row> Session::texts(const Sql& select, Blame blame) {
  go_on_unless_stopped();
  const WatchedStatement watched(watch_, select.text());
  return rows_of(select, blame);
}

std::vector<Row> Session::rows_of(const Sql& select, Blame blame) {
  Result result(duckdb_);
  run(result, select, blame);
  return result.rows();
}

/// The outcome of a statement that may have been interrupted says nothing.
void Session::run(Result& result, const Sql& statement, Blame blame) {
  try {
    result.run(connection_, statement, blame);
  } catch (const Error&) {
    go_on_unless_stopped();
    throw;
  }
  go_on_unless_stopped();
}

Named Session::named(const QualifiedName& name) {
  go_on_unless_stopped();
  duckdb_table_description table = nullptr;
  const bool found =
      duckdb_.table_description_create(connection_, catalog_.c_str(), name.schema.c_str(),
                                       name.name.c_str(), &table) == DuckDBSuccess;
  const char* error = found ? nullptr : duckdb_.table_description_error(table);
  const std::string text = error == nullptr ? "" : error;
  duckdb_.table_description_destroy(&table);
  if (found) {
    return Named::Table;
  }
  // The two texts of DuckDB 1.4; neither ends the transaction.
  if (text.ends_with("could be located")) {
    return Named::Nothing;
  }
  if (text.ends_with(" is not an table")) {
    return Named::Other;
  }
  go_on_unless_stopped();
  throw statement_error(DUCKDB_ERROR_TRANSACTION, text, ErrorKind::Transient);
}

std::vector<Row> Session::columns(const QualifiedName& name) {
  return texts(sql("DESCRIBE {}", qualified(catalog_, name)));
}

void Session::commit() {
  committed_ = false;
  save_blocks(saved_, catalog_);
  failpoint("load-blocks-saved");
  go_on_unless_stopped();
  // When interrupted, DuckDB 1.4 still commits, no sooner than otherwise, and reports an error.
  interrupts_.reset();
  stop_ = {};
  try {
    execute(sql("COMMIT"));
  } catch (const Error& error) {
    if (is_of_the_disk(error)) {
      throw;
    }
    throw CommitRefused(commit_error(error));
  }
  committed_ = true;
}

void Session::commit_and_go_on() {
  const std::stop_token stop = stop_;
  commit();
  stop_ = stop;
  if (stop_.stop_possible()) {
    interrupts_.emplace(duckdb_, connection_, stop_);
  }
}

void Session::save_blocks(SavedBlocks& saved, const std::string& database) {
  std::vector<std::uint64_t> blocks;
  for (const Row& row :
       rows_of(sql("SELECT block_id::VARCHAR FROM pragma_metadata_info({}) WHERE free_blocks > 0",
                   literal(database)),
               Blame::Target)) {
    blocks.push_back(std::stoull(row.at(0).value()));
  }
  try {
    saved.save(blocks, stop_);
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    throw Error(ErrorKind::Transient, error.message(), error.advice());
  }
}

}  // namespace re_dms::duckdb
