#include "batch/table_fold.h"

#include <utility>

#include "base/error.h"
#include "batch/key_fold.h"
#include "batch/multiset_fold.h"

namespace re_dms {

TableFold::TableFold(const TablePtr& table, std::vector<SchemaChange> changes,
                     const FoldRules& rules)
    : layer_(table),
      shape_(table),
      proof_(*table, rules.raw_text),
      row_bytes_max_(rules.row_bytes_max) {
  layer_.changes = std::move(changes);
}

std::uint32_t TableFold::add_row(RowOp op) {
  std::uint32_t row = 0;
  if (void_rows_.empty()) {
    RE_DMS_CHECK(layer_.rows.size() < KeyPlace::kNoRow);
    row = static_cast<std::uint32_t>(layer_.rows.size());
    layer_.rows.emplace_back();
  } else {
    row = void_rows_.back();
    void_rows_.pop_back();
    layer_.rows[row] = {};
  }
  layer_.rows[row].op = op;
  return row;
}

void TableFold::make_void(std::uint32_t row) {
  layer_.rows[row].void_row = true;
  void_rows_.push_back(row);
}

RowFault TableFold::check_size(std::size_t bytes) {
  if (bytes <= row_bytes_max_) {
    return RowFault::None;
  }
  refused_bytes_ = bytes;
  return RowFault::RowTooLarge;
}

bool TableFold::has_work() const {
  return layer_.truncate || !layer_.changes.empty() || layer_.rows.size() > void_rows_.size();
}

void TableFold::drop_rows() {
  layer_.rows = {};
  layer_.memory = RowMemory();
  layer_.received = 0;
  layer_.truncate = false;
  void_rows_ = {};
  index_.clear();
}

void TableFold::close() {
  index_.clear();
}

Layer TableFold::take() {
  close();
  for (const Layer::StoredRow& row : layer_.rows) {
    if (row.void_row) {
      continue;
    }
    switch (row.op) {
      case RowOp::Insert:
        layer_.counts.inserts += row.copies;
        break;
      case RowOp::Replace:
        ++layer_.counts.replaces;
        break;
      case RowOp::Update:
        ++layer_.counts.updates;
        break;
      case RowOp::Delete:
        layer_.counts.deletes += row.copies;
        break;
    }
  }
  return std::move(layer_);
}

std::size_t TableFold::memory_bytes() const {
  return sizeof(TableFold) + layer_.memory_bytes() + index_.memory_bytes() +
         void_rows_.capacity() * sizeof(std::uint32_t);
}

std::unique_ptr<TableFold> make_fold(const TablePtr& table, std::vector<SchemaChange> changes,
                                     const FoldRules& rules) {
  if (is_multiset(*table)) {
    return std::make_unique<MultisetFold>(table, std::move(changes), rules);
  }
  return std::make_unique<KeyFold>(table, std::move(changes), rules);
}

}  // namespace re_dms
