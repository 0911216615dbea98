// Reads keys from a table's tuples and puts two images of one row together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "batch/row_fault.h"
#include "model/row_memory.h"
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

  struct Merged {
    StoredBytes tuple;
    bool complete = true;
  };

  /// The images a merge takes its values from: `fresh` first, then for key columns `old` (may be
  /// empty), then `before` (may be empty).
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

  /// Stores it in `memory`: `bytes` are its merged_bytes. What no image has stays UnchangedToast.
  Merged merge(const Images& images, std::size_t bytes, RowMemory& memory) const;

 private:
  void check_count(TupleView tuple) const;

  TablePtr table_;
  std::vector<char> key_;  // 1 for key columns
};

}  // namespace re_dms
