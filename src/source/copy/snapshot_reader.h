// One session in an exported snapshot: reads tables and their rows as the snapshot shows them.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "model/origin.h"
#include "model/table_schema.h"
#include "source/connection/connection.h"
#include "source/copy/exported_snapshot.h"
#include "source/settings.h"

namespace re_dms {

/// The table is no longer as the snapshot shows it: it was rewritten, altered, truncated or dropped
/// since. Transient: another snapshot shows it as it is.
class ChangedSince : public Error {
 public:
  using Error::Error;
};

/// Pages of a table's file, [first, end); without end: to the last one.
struct PageRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> end;

  bool operator==(const PageRange&) const = default;
};

/// What a table takes, as the source counts it.
struct TableSize {
  Oid oid = 0;
  QualifiedName name;
  std::uint64_t pages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;  ///< estimated; 0: not known
};

/// The sizes of the tables that exist, by OID; those counted last where somebody holds one of them
/// for longer than `lock_timeout`, which the connection keeps.
std::vector<TableSize> table_sizes(Connection& connection, const std::vector<Oid>& tables,
                                   std::chrono::milliseconds lock_timeout);

/// By OID.
using TableMarks = std::map<Oid, std::string>;

/// Used by one thread; holds the snapshot until it is destroyed.
class SnapshotReader {
 public:
  /// Imports the snapshot. Throws Transient when it is gone.
  SnapshotReader(const SourceSettings& settings, const Origin& origin,
                 const ExportedSnapshot& snapshot, const std::stop_token& stop);

  /// The server's process: what others wait for when they wait behind a copy.
  int process() const { return PQbackendPID(snapshot_.raw()); }

  /// False when the snapshot is lost with its connection.
  bool alive() const;

  bool raw_text() const { return snapshot_.raw_text(); }

  /// The tables that exist in the snapshot, as it shows them.
  std::vector<CatalogTable> tables(const std::vector<Oid>& oids);

  /// What rewriting, emptying, renaming or altering a table changes, of those that the snapshot
  /// shows.
  TableMarks marks(const std::vector<Oid>& oids);

  /// Begins to read the rows of some pages that satisfy the publication's row filter, both as the
  /// snapshot shows them, under a lock (ACCESS SHARE) that is waited for as long as lock_timeout
  /// and ends with the rows. `mark`: the table's of the snapshot. Throws ChangedSince, and Fatal
  /// where the rows may not be read.
  void begin_rows(const TableSchema& table, const std::string& mark, const PageRange& pages);

  /// The next row as a line of COPY's text, valid until the next call; nothing behind the last. May
  /// wait for the server. Throws Stopped on stop.
  std::optional<std::string_view> next_row();

  /// Whoever began to read rows does not want the rest. The session is good for other tables then,
  /// unless it is lost. Never throws.
  void give_up_rows();

 private:
  void end_rows();
  void require_unchanged(const TableSchema& table, const std::string& mark);

  const SourceSettings& settings_;
  Connection snapshot_;
  Connection now_;
  std::stop_token stop_;
  std::string doing_;
  bool reading_ = false;  ///< the savepoint is set
  std::unique_ptr<char, decltype(&PQfreemem)> line_{nullptr, &PQfreemem};
};

}  // namespace re_dms
