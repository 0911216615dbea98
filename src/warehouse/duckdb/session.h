// The warehouse file, opened for one load and closed after it, and statements in it.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/duckdb/interrupts.h"
#include "warehouse/duckdb/library.h"
#include "warehouse/duckdb/saved_blocks.h"
#include "warehouse/sql_session.h"
#include "warehouse/statement_watch.h"

namespace re_dms::duckdb {

struct SessionSettings {
  std::string path;
  std::uint64_t memory_bytes = 0;             ///< 0: DuckDB's own default
  std::string temporary_directory;            ///< empty: beside the file
  std::uint64_t temporary_reserve_bytes = 0;  ///< as WarehouseSettings has it
  StatementWatch watch{};                     ///< as WarehouseSettings has it
};

enum class FileAccess { ReadWrite, ReadOnly };

/// DuckDB could not commit, and neither a disk nor a stop is known to be the reason. Nothing of the
/// transaction is kept.
class CommitRefused : public Error {
 public:
  explicit CommitRefused(const Error& error) : Error(error) {}
};

/// Owns the open file: while it lives no other process can open it, and nothing else in this
/// process may, by DuckDB or by open(2) (closing any descriptor of it drops DuckDB's lock).
class Session final : public SqlSession {
 public:
  /// Throws Transient when another process holds the file (the message names it), Fatal when it is
  /// not a DuckDB file or cannot be opened. A file in which a crash ended a COMMIT half-way is
  /// brought back to where it stood before it, and a log that DuckDB cannot replay while it opens
  /// the file is replayed in the one way that can; read-only access throws Fatal for both.
  ///
  /// Once stop is requested, statements and commit() throw Stopped, running ones too, and the
  /// transaction has to be rolled back. A COMMIT that has begun completes, and what follows it is
  /// no longer stopped.
  Session(const SessionSettings& settings, FileAccess access, std::stop_token stop = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  /// Closes the file; an open transaction is rolled back, what is committed is durable already.
  ~Session() override;

  using SqlSession::execute;
  using SqlSession::query;
  std::uint64_t execute(const Sql& statement, Blame blame) override;
  std::vector<Row> query(const Sql& select, Blame blame) override;

  /// The same for one whose columns are all VARCHAR: less for DuckDB to plan.
  std::vector<Row> texts(const Sql& select, Blame blame = Blame::Target);

  /// What the transaction sees under a name; names that differ only in letter case are equal. Costs
  /// the same however many tables there are, which no query of DuckDB's catalog does. Throws
  /// Transient when the target fails.
  Named named(const QualifiedName& name) override;

  Sql text(std::string_view value) const override { return literal(value); }

  /// Name and type of the columns of a table or view that is there. Costs the same however many
  /// tables there are. Throws as execute does.
  std::vector<Row> columns(const QualifiedName& name);

  /// COMMIT. On return what the transaction did is durable; a crash at any instant leaves the file
  /// as it was before or after. Throws Transient when the disk fails or is full, else
  /// CommitRefused.
  void commit();

  /// The same, after which the session goes on: its statements can be stopped again.
  void commit_and_go_on();

  /// Saves the blocks of an attached database that a checkpoint may write over, before something
  /// else than commit() writes its file.
  void save_blocks(SavedBlocks& saved, const std::string& database);

  /// The name of the file as a catalog, the first part of every qualified name.
  const std::string& catalog() const { return catalog_; }

 private:
  class Result;

  void run(Result& result, const Sql& statement, Blame blame);
  std::vector<Row> rows_of(const Sql& select, Blame blame);
  void open(const SessionSettings& settings, FileAccess access);
  /// Returns DuckDB's text when it cannot; empty: it is open.
  std::string try_open(const std::string& path, duckdb_config config);
  void close();
  void go_on_unless_stopped() const;

  const Library& duckdb_;
  const StatementWatch watch_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  std::string catalog_;
  SavedBlocks saved_;
  std::stop_token stop_;
  std::optional<Interrupts> interrupts_;
  bool committed_ = false;  ///< nothing was begun since the last commit()
};

}  // namespace re_dms::duckdb
