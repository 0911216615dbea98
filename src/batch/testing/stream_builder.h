// Journal units made by hand: messages as PostgreSQL sends them, in records as the journal keeps
// them. For tests, fuzzing and benchmarks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/journal_block.h"
#include "model/journal_unit.h"
#include "model/lsn.h"
#include "model/relation.h"
#include "model/table_schema.h"
#include "model/tuple.h"

namespace re_dms {

/// One value of a row to be sent.
struct Cell {
  // Rows read as lists.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Cell(const char* value) : kind(ValueKind::Text), text(value) {}

  Cell(std::string value)  // NOLINT(google-explicit-constructor): likewise
      : kind(ValueKind::Text), text(std::move(value)) {}

  explicit Cell(ValueKind absence) : kind(absence) {}

  bool operator==(const Cell&) const = default;

  ValueKind kind;
  std::string text;
};

inline const Cell kNull{ValueKind::Null};
inline const Cell kUnchanged{ValueKind::UnchangedToast};

using Cells = std::vector<Cell>;

/// A tuple as a message holds it, count first.
std::string tuple_bytes(const Cells& cells);

/// A table of text columns named as given, numbered from 1, the first `keys` of them its key.
TableSchema text_table(Oid oid, const std::string& name, const std::vector<std::string>& columns,
                       std::size_t keys = 1);

/// What the Relation message says of a table.
Relation relation_of(const TableSchema& table);

// Raw pgoutput messages.
std::string begin_message(Lsn commit_lsn, SystemTime commit_time = {}, std::uint32_t xid = 1);
std::string commit_message(Lsn commit_lsn, Lsn end_lsn, SystemTime commit_time = {});
std::string relation_message(const Relation& relation);
std::string insert_message(Oid table, const Cells& row);
std::string update_message(Oid table, const Cells& row);
/// With the old key: `old` has a value in key columns and NULL elsewhere. Mark: 'K' or 'O'.
std::string update_message(Oid table, const Cells& old, const Cells& row, char mark = 'K');
std::string delete_message(Oid table, const Cells& old, char mark = 'K');
std::string truncate_message(const std::vector<Oid>& tables);

/// Records back to back; each call adds one and returns the builder.
class StreamBuilder {
 public:
  StreamBuilder& begin(Lsn commit_lsn, SystemTime commit_time = {});
  /// For the transaction begun last.
  StreamBuilder& commit(Lsn end_lsn);
  StreamBuilder& relation(const TableSchema& table);
  /// Repeated at the start of a segment.
  StreamBuilder& relation_in_force(const TableSchema& table);
  StreamBuilder& catalog(const std::vector<CatalogTable>& tables);
  StreamBuilder& idle(Lsn position);
  StreamBuilder& message(std::string_view message);

  StreamBuilder& insert(Oid table, const Cells& row) { return message(insert_message(table, row)); }

  StreamBuilder& update(Oid table, const Cells& row) { return message(update_message(table, row)); }

  StreamBuilder& update(Oid table, const Cells& old, const Cells& row) {
    return message(update_message(table, old, row));
  }

  StreamBuilder& erase(Oid table, const Cells& old) { return message(delete_message(table, old)); }

  StreamBuilder& truncate(const std::vector<Oid>& tables) {
    return message(truncate_message(tables));
  }

  const std::string& bytes() const { return block_.bytes; }

  /// A view of all records so far: valid until the next call.
  JournalUnit unit(UnitKind kind) const { return {kind, block_.bytes}; }

  void clear() { block_.bytes.clear(); }

 private:
  JournalBlock block_;
  Lsn commit_lsn_;
  SystemTime commit_time_;
};

}  // namespace re_dms
