// Layers as the fold would make them, for tests and the benchmark.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/layer.h"

namespace re_dms {

/// One column's value in a sample row: a text, kNull or kUnchanged.
struct SampleValue {
  SampleValue(const char* text) : kind(ValueKind::Text), bytes(text) {}  // NOLINT: reads as a row

  SampleValue(std::string text)  // NOLINT: reads as a row
      : kind(ValueKind::Text), bytes(std::move(text)) {}

  explicit SampleValue(ValueKind absent) : kind(absent) {}

  bool operator==(const SampleValue&) const = default;

  ValueKind kind;
  std::string bytes;
};

inline const SampleValue kNull{ValueKind::Null};
inline const SampleValue kUnchanged{ValueKind::UnchangedToast};

/// Columns of type text; a name that ends with '*' is a key column.
inline TablePtr table_of(std::vector<std::string> names) {
  auto table = std::make_shared<TableSchema>();
  table->oid = 16384;
  table->name = {"public", "orders"};
  for (std::string& name : names) {
    Column column;
    column.key = name.back() == '*';
    if (column.key) {
      name.pop_back();
    }
    column.name = name;
    column.attnum = static_cast<std::int16_t>(table->columns.size() + 1);
    column.type = {25, -1, "text", 'b', 25, -1, 0};
    table->columns.push_back(std::move(column));
  }
  return table;
}

inline std::string tuple_of(const std::vector<SampleValue>& values) {
  std::string tuple;
  append_be(tuple, static_cast<std::uint16_t>(values.size()));
  for (const SampleValue& value : values) {
    tuple += static_cast<char>(value.kind);
    if (value.kind == ValueKind::Text) {
      append_be(tuple, static_cast<std::uint32_t>(value.bytes.size()));
      tuple += value.bytes;
    }
  }
  return tuple;
}

class LayerSample {
 public:
  explicit LayerSample(TablePtr table) : layer_(std::move(table)) {}

  /// `origin` is left out for inserts and in a multiset, `values` for deletes by key, whatever is
  /// given.
  LayerSample& add(RowOp op, const std::vector<std::string>& origin,
                   const std::vector<SampleValue>& values) {
    Layer::StoredRow row;
    row.op = op;
    const bool multiset = is_multiset(*layer_.table);
    if (op != RowOp::Insert && !multiset) {
      std::string key;
      for (const std::string& part : origin) {
        append_key_part(key, part);
      }
      row.origin_key = layer_.memory.store(key);
    }
    if (op != RowOp::Delete || multiset) {
      row.tuple = layer_.memory.store(tuple_of(values));
    }
    layer_.rows.push_back(row);
    ++count_of(op);
    return *this;
  }

  LayerSample& insert(const std::vector<SampleValue>& values) {
    return add(RowOp::Insert, {}, values);
  }

  /// The row added last stands for so many equal ones.
  LayerSample& copies(std::uint32_t number) {
    layer_.rows.back().copies = number;
    count_of(layer_.rows.back().op) += number - 1;
    return *this;
  }

  /// A row inserted and deleted again.
  LayerSample& add_void() {
    Layer::StoredRow row;
    row.void_row = true;
    layer_.rows.push_back(row);
    return *this;
  }

  Layer take() { return std::move(layer_); }

 private:
  std::uint64_t& count_of(RowOp op) {
    switch (op) {
      case RowOp::Insert:
        return layer_.counts.inserts;
      case RowOp::Replace:
        return layer_.counts.replaces;
      case RowOp::Update:
        return layer_.counts.updates;
      case RowOp::Delete:
        break;
    }
    return layer_.counts.deletes;
  }

  Layer layer_;
};

}  // namespace re_dms
