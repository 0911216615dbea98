// Reads keys from a table's tuples and puts two images of one row together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batch/row_fault.h"
#include "model/table_schema.h"
#include "model/tuple.h"

namespace re_dms {

/// The column order of one version of a table.
class TupleShape {
 public:
  struct Reading {
    RowFault fault = RowFault::None;
    bool complete = true;  ///< no column is UnchangedToast
  };

  /// The images a merge takes its values from: `fresh` first, then `old` (may be empty) for key
  /// columns, or for all where the replica identity is FULL, then `before` (may be empty).
  struct Images {
    TupleView fresh;
    TupleView old;
    TupleView before;
  };

  explicit TupleShape(TablePtr table);

  /// Puts the encoded key of `tuple` into `key`. A key column that was not sent is taken from `old`
  /// (may be empty): PostgreSQL 15 sends the old key of a row whose key is TOASTed even when it did
  /// not change. Throws Fatal when a tuple has another number of columns than the table.
  Reading read_key(TupleView tuple, TupleView old, std::string& key) const;

  /// The size of the tuple that the images make.
  std::size_t merged_bytes(const Images& images) const;

  /// Writes its merged_bytes to `to`. What no image has stays UnchangedToast; false when something
  /// does.
  bool merge(const Images& images, char* to) const;

  /// Whether no column is UnchangedToast. Throws Fatal as read_key does.
  bool is_complete(TupleView tuple) const;

 private:
  void check_count(TupleView tuple) const;

  TablePtr table_;
  std::vector<char> key_;       // 1 for key columns
  std::vector<char> from_old_;  // 1 for columns whose unchanged value an old tuple holds
};

}  // namespace re_dms
