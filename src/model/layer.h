// The net changes of one table between two barriers: what the fold makes and the stage writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/initial_copy.h"
#include "model/lsn.h"
#include "model/row_memory.h"
#include "model/schema_change.h"
#include "model/table_schema.h"
#include "model/tuple.h"

namespace re_dms {

/// What a net row does to the target. Matching is by the origin key: the key the row had when the
/// layer began.
enum class RowOp : char {
  Insert = 'I',   ///< no such row before; all columns known
  Replace = 'R',  ///< the row existed; all columns known, the key may differ from the origin key
  Update = 'U',   ///< the row existed; columns that are UnchangedToast keep their target value
  Delete = 'D',   ///< the row existed and is gone
};

/// One net row. `origin_key` is empty for Insert; `tuple` is empty for Delete. In a multiset there
/// are only inserts and deletes, both with a complete tuple and without an origin key.
struct NetRow {
  RowOp op = RowOp::Insert;
  std::string_view origin_key;  ///< see encode_key
  TupleView tuple;
};

/// A key as one byte string: per key column, in column order, u32 little-endian length and text.
/// Two keys are equal when their texts are the same: 1.0 and 1.00 are different keys.
void append_key_part(std::string& key, std::string_view text);

/// Calls `each(std::string_view)` for every part of an encoded key.
template <typename F>
void for_each_key_part(std::string_view key, F each) {
  while (!key.empty()) {
    const auto size = load_le<std::uint32_t>(key.data());
    each(key.substr(4, size));
    key.remove_prefix(4 + size);
  }
}

/// A layer's place in the copy of its table, which is built beside the table.
struct CopyStep {
  std::uint64_t number = 0;  ///< counts the layers of one copy; the first, 1, begins it anew
  bool last = false;         ///< after its rows the copy takes the table's place
  Lsn position;              ///< of the snapshot: the copy holds everything below it
  std::uint64_t bytes = 0;   ///< of the table's file that its rows stand for; for people
  InitialCopy initial_copy = InitialCopy::Auto;  ///< Never: the copy has no rows
  std::uint64_t attempt = 0;                     ///< to copy the table; as TableRecord counts them
  bool keeps_columns = false;  ///< what the target has in columns that the copy lacks may not go

  bool operator==(const CopyStep&) const = default;
};

struct LayerCounts {
  std::uint64_t inserts = 0;
  std::uint64_t replaces = 0;
  std::uint64_t updates = 0;
  std::uint64_t deletes = 0;

  std::uint64_t rows() const { return inserts + replaces + updates + deletes; }

  bool operator==(const LayerCounts&) const = default;
};

/// Owns the rows of one table and layer. Layers of a table are applied in the order they were made,
/// each: schema changes, then (if `truncate`) all rows deleted, then the net rows.
class Layer {
 public:
  /// What is kept per row; the bytes lie in `memory`.
  struct StoredRow {
    StoredBytes origin_key;
    StoredBytes tuple;
    RowOp op = RowOp::Insert;
    bool void_row = false;     ///< inserted and deleted again: nothing to do
    std::uint32_t copies = 1;  ///< equal rows that this one stands for: 1 but in a multiset
  };

  explicit Layer(TablePtr schema) : table(std::move(schema)) {}

  NetRow row(std::size_t index) const {
    const StoredRow& stored = rows[index];
    return {stored.op, stored.origin_key ? stored.origin_key.view() : std::string_view(),
            stored.tuple ? TupleView(stored.tuple.view()) : TupleView()};
  }

  bool has_work() const { return truncate || !changes.empty() || counts.rows() > 0; }

  /// Bytes held by rows and their index entries.
  std::size_t memory_bytes() const { return memory.bytes() + rows.capacity() * sizeof(StoredRow); }

  TablePtr table;                     ///< the shape of the rows, after `changes`
  std::vector<SchemaChange> changes;  ///< applied before anything else of this layer
  bool truncate = false;              ///< every row of the target goes before the net rows come
  std::vector<StoredRow> rows;        ///< in order of first change; void ones are skipped
  std::uint64_t received = 0;         ///< row changes that were folded into it; for people
  LayerCounts counts;              ///< of rows that are not void; filled when the layer is closed
  std::optional<CopyStep> copy{};  ///< of a layer of copied rows, all of them inserts
  RowMemory memory;
};

}  // namespace re_dms
