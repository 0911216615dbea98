#include "batch/table_fold.h"

#include <algorithm>

#include "base/error.h"

namespace re_dms {

TableFold::TableFold(TablePtr table, std::vector<SchemaChange> changes, std::size_t row_bytes_max)
    : layer_(table), shape_(std::move(table)), row_bytes_max_(row_bytes_max) {
  layer_.changes = std::move(changes);
}

bool TableFold::is_live(std::uint32_t row) const {
  return row != KeyPlace::kNoRow && layer_.rows[row].op != RowOp::Delete;
}

KeyPlace TableFold::new_place(const HashedKey& key, PlaceOf what) {
  return {layer_.memory.store(key.bytes), key.hash & 0x7FFFFFFFU, what == PlaceOf::Origin ? 1U : 0U,
          KeyPlace::kNoRow};
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

RowFault TableFold::insert(const pgoutput::Insert& change) {
  const TupleShape::Reading reading = shape_.read_key(change.tuple, TupleView(), key_);
  if (reading.fault != RowFault::None) {
    return reading.fault;
  }
  if (!reading.complete) {
    return RowFault::InsertWithoutValue;
  }
  const std::string_view tuple = change.tuple.bytes();
  if (tuple.size() > row_bytes_max_) {
    refused_bytes_ = tuple.size();
    return RowFault::RowTooLarge;
  }
  const HashedKey key(key_);
  const auto [place, added] =
      index_.find_or_add(key, [&] { return new_place(key, PlaceOf::RowKey); });
  if (place->row == KeyPlace::kNoRow) {
    place->row = add_row(RowOp::Insert);
  } else if (is_live(place->row)) {
    return RowFault::InsertOfPresentRow;
  } else {
    // Deleted and inserted again: for the target one row that gets other values.
    layer_.rows[place->row].op = RowOp::Replace;
  }
  layer_.rows[place->row].tuple = layer_.memory.store(tuple);
  return RowFault::None;
}

RowFault TableFold::update(const pgoutput::Update& change) {
  if (change.old_kind == pgoutput::OldTuple::Full) {
    return RowFault::FullOldTuple;
  }
  const TupleShape::Reading reading = shape_.read_key(change.tuple, change.old_tuple, key_);
  if (reading.fault != RowFault::None) {
    return reading.fault;
  }
  bool moves = false;
  if (change.old_kind == pgoutput::OldTuple::Key) {
    if (const auto old = shape_.read_key(change.old_tuple, TupleView(), old_key_);
        old.fault != RowFault::None) {
      return old.fault;
    }
    moves = old_key_ != key_;
  }
  const HashedKey from(moves ? old_key_ : key_);
  const auto [place, added] =
      index_.find_or_add(from, [&] { return new_place(from, PlaceOf::Origin); });
  if (added) {
    place->row = add_row(RowOp::Update);
    layer_.rows[place->row].origin_key = place->key;
  } else if (!is_live(place->row)) {
    return RowFault::ChangeOfAbsentRow;
  }
  const std::uint32_t row = place->row;
  if (moves) {
    leave(*place);
    if (const RowFault fault = take_key(HashedKey(key_), row); fault != RowFault::None) {
      return fault;
    }
  }
  return store_update(row, change, reading.complete);
}

RowFault TableFold::store_update(std::uint32_t index, const pgoutput::Update& change,
                                 bool complete) {
  Layer::StoredRow& row = layer_.rows[index];
  std::size_t bytes = change.tuple.bytes().size();
  TupleShape::Images images{change.tuple, change.old_tuple, TupleView()};
  if (!complete) {
    images.before = row.tuple ? TupleView(row.tuple.view()) : TupleView();
    bytes = shape_.merged_bytes(images);
  }
  if (bytes > row_bytes_max_) {
    refused_bytes_ = bytes;
    return RowFault::RowTooLarge;
  }
  if (complete) {
    row.tuple = layer_.memory.replace(row.tuple, change.tuple.bytes());
  } else {
    const TupleShape::Merged merged = shape_.merge(images, bytes, layer_.memory);
    layer_.memory.release(row.tuple);
    row.tuple = merged.tuple;
    complete = merged.complete;
  }
  if (row.op != RowOp::Insert) {
    row.op = complete ? RowOp::Replace : RowOp::Update;
  }
  return RowFault::None;
}

RowFault TableFold::erase(const pgoutput::Delete& change) {
  if (change.old_kind == pgoutput::OldTuple::Full) {
    return RowFault::FullOldTuple;
  }
  const TupleShape::Reading reading = shape_.read_key(change.old_tuple, TupleView(), key_);
  if (reading.fault != RowFault::None) {
    return reading.fault;
  }
  const HashedKey key(key_);
  const auto [place, added] =
      index_.find_or_add(key, [&] { return new_place(key, PlaceOf::Origin); });
  if (added) {
    place->row = add_row(RowOp::Delete);
    layer_.rows[place->row].origin_key = place->key;
    return RowFault::None;
  }
  if (!is_live(place->row)) {
    return RowFault::ChangeOfAbsentRow;
  }
  delete_row(*place);
  return RowFault::None;
}

void TableFold::delete_row(const KeyPlace& place) {
  const std::uint32_t index = place.row;
  Layer::StoredRow& row = layer_.rows[index];
  layer_.memory.release(row.tuple);
  row.tuple = {};
  leave(place);
  if (row.op == RowOp::Insert) {
    row.void_row = true;
    void_rows_.push_back(index);
    return;
  }
  row.op = RowOp::Delete;
  // So that an insert of the origin key becomes a Replace, unless another row has that key now.
  const KeyPlace* origin = index_.find(HashedKey(row.origin_key.view()));
  RE_DMS_CHECK(origin != nullptr);
  if (origin->row == KeyPlace::kNoRow) {
    origin->row = index;
  }
}

/// The row that has this place gives it up.
void TableFold::leave(const KeyPlace& place) {
  if (place.origin != 0) {
    place.row = KeyPlace::kNoRow;
    return;
  }
  const StoredBytes key = place.key;
  index_.erase(place);
  layer_.memory.release(key);
}

RowFault TableFold::take_key(const HashedKey& key, std::uint32_t row) {
  const auto [place, added] =
      index_.find_or_add(key, [&] { return new_place(key, PlaceOf::RowKey); });
  if (is_live(place->row)) {
    return RowFault::MoveOntoPresentRow;
  }
  place->row = row;
  return RowFault::None;
}

bool TableFold::has_work() const {
  return layer_.truncate || !layer_.changes.empty() || layer_.rows.size() > void_rows_.size();
}

void TableFold::drop_rows() {
  layer_.rows = {};
  layer_.memory = RowMemory();
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
        ++layer_.counts.inserts;
        break;
      case RowOp::Replace:
        ++layer_.counts.replaces;
        break;
      case RowOp::Update:
        ++layer_.counts.updates;
        break;
      case RowOp::Delete:
        ++layer_.counts.deletes;
        break;
    }
  }
  return std::move(layer_);
}

std::size_t TableFold::memory_bytes() const {
  return sizeof(TableFold) + layer_.memory_bytes() + index_.memory_bytes() +
         void_rows_.capacity() * sizeof(std::uint32_t);
}

}  // namespace re_dms
