// Proves that values are UTF-8 where PostgreSQL does not: in a database of the encoding SQL_ASCII,
// and in the one-byte type "char", which PostgreSQL 14 sends as any byte (15 and newer print \351).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/table_schema.h"
#include "model/tuple.h"

namespace re_dms {

class TextProof {
 public:
  /// `raw_text`: the database's encoding is SQL_ASCII.
  TextProof(const TableSchema& table, bool raw_text);

  /// Nothing needs a proof: the usual table.
  bool empty() const { return columns_.empty(); }

  /// The index of a column whose value is not UTF-8. The tuple has the table's columns, or is
  /// empty.
  std::optional<std::size_t> unreadable_column(TupleView tuple) const;

 private:
  std::vector<char> columns_;  ///< 1: prove it; empty where none is to be proved
};

}  // namespace re_dms
