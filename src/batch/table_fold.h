// Folds the changes of one table into one layer: many changes of a row become one net row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/key_index.h"
#include "batch/row_fault.h"
#include "batch/tuple_shape.h"
#include "model/layer.h"
#include "pgoutput/messages.h"

namespace re_dms {

/// For tables whose replica identity is a key. A row that was there when the layer began keeps its
/// origin key whatever keys it takes later, so chains and cycles of keys need no second layer: the
/// target deletes by origin key, moves all rows in one UPDATE, then inserts. Keys are equal when
/// their texts are: PostgreSQL 15 sends 1.0 → 1.00 as a change of the key. After a fault the fold
/// is of no use any more.
class TableFold {
 public:
  TableFold(TablePtr table, std::vector<SchemaChange> changes, std::size_t row_bytes_max);

  /// The views need not outlive the call. Throw Fatal when a tuple does not fit the table.
  RowFault insert(const pgoutput::Insert& change);
  RowFault update(const pgoutput::Update& change);
  RowFault erase(const pgoutput::Delete& change);

  const Layer& layer() const { return layer_; }

  /// Something to do for the target.
  bool has_work() const;

  /// The rows of this layer do not count any more: the table is emptied after them. Its schema
  /// changes stay. No row may follow.
  void drop_rows();

  /// Marks the layer as one that begins with emptying the table.
  void truncate_first() { layer_.truncate = true; }

  /// No row follows: gives the memory of the index back.
  void close();

  /// The finished layer; closes.
  Layer take();

  std::size_t memory_bytes() const;

  /// Bytes of the row that gave RowTooLarge.
  std::size_t refused_bytes() const { return refused_bytes_; }

 private:
  enum class PlaceOf { RowKey, Origin };

  bool is_live(std::uint32_t row) const;
  KeyPlace new_place(const HashedKey& key, PlaceOf what);
  std::uint32_t add_row(RowOp op);
  void leave(const KeyPlace& place);
  RowFault take_key(const HashedKey& key, std::uint32_t row);
  RowFault store_update(std::uint32_t row, const pgoutput::Update& change, bool complete);
  void delete_row(const KeyPlace& place);

  Layer layer_;
  TupleShape shape_;
  KeyIndex index_;
  std::vector<std::uint32_t> void_rows_;  // their places in `rows` are taken by the next inserts
  std::size_t row_bytes_max_;
  std::size_t refused_bytes_ = 0;
  std::string key_;
  std::string old_key_;
};

}  // namespace re_dms
