#include "batch/key_fold.h"

#include <algorithm>

#include "base/error.h"

namespace re_dms {

bool KeyFold::is_live(std::uint32_t row) const {
  return row != KeyPlace::kNoRow && layer_.rows[row].op != RowOp::Delete;
}

KeyPlace KeyFold::new_place(const HashedKey& key, PlaceOf what) {
  return {layer_.memory.store(key.bytes), key.hash & 0x7FFFFFFFU, what == PlaceOf::Origin ? 1U : 0U,
          KeyPlace::kNoRow};
}

/// Under REPLICA IDENTITY FULL every old row comes, whole; otherwise a key comes, or nothing.
RowFault KeyFold::check_old_kind(pgoutput::OldTuple kind) const {
  const bool full = layer_.table->identity == ReplicaIdentity::Full;
  if (full == (kind == pgoutput::OldTuple::Full)) {
    return RowFault::None;
  }
  return full ? RowFault::NoFullOldTuple : RowFault::FullOldTuple;
}

RowFault KeyFold::insert(const pgoutput::Insert& change) {
  const TupleShape::Reading reading = shape_.read_key(change.tuple, TupleView(), key_);
  if (reading.fault != RowFault::None) {
    return reading.fault;
  }
  if (!reading.complete) {
    return RowFault::InsertWithoutValue;
  }
  const std::string_view tuple = change.tuple.bytes();
  if (const RowFault fault = check_size(tuple.size()); fault != RowFault::None) {
    return fault;
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

RowFault KeyFold::update(const pgoutput::Update& change) {
  if (const RowFault fault = check_old_kind(change.old_kind); fault != RowFault::None) {
    return fault;
  }
  const TupleShape::Reading reading = shape_.read_key(change.tuple, change.old_tuple, key_);
  if (reading.fault != RowFault::None) {
    return reading.fault;
  }
  bool moves = false;
  if (change.old_kind != pgoutput::OldTuple::None) {
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

RowFault KeyFold::store_update(std::uint32_t index, const pgoutput::Update& change, bool complete) {
  Layer::StoredRow& row = layer_.rows[index];
  std::size_t bytes = change.tuple.bytes().size();
  TupleShape::Images images{change.tuple, change.old_tuple, TupleView()};
  if (!complete) {
    images.before = row.tuple ? TupleView(row.tuple.view()) : TupleView();
    bytes = shape_.merged_bytes(images);
  }
  if (const RowFault fault = check_size(bytes); fault != RowFault::None) {
    return fault;
  }
  if (complete) {
    row.tuple = layer_.memory.replace(row.tuple, change.tuple.bytes());
  } else {
    const StoredBytes merged = layer_.memory.reserve(bytes);
    complete = shape_.merge(images, merged.block() + sizeof(std::uint32_t));
    layer_.memory.release(row.tuple);
    row.tuple = merged;
  }
  if (row.op != RowOp::Insert) {
    row.op = complete ? RowOp::Replace : RowOp::Update;
  }
  return RowFault::None;
}

RowFault KeyFold::erase(const pgoutput::Delete& change) {
  if (const RowFault fault = check_old_kind(change.old_kind); fault != RowFault::None) {
    return fault;
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

void KeyFold::delete_row(const KeyPlace& place) {
  const std::uint32_t index = place.row;
  Layer::StoredRow& row = layer_.rows[index];
  layer_.memory.release(row.tuple);
  row.tuple = {};
  leave(place);
  if (row.op == RowOp::Insert) {
    make_void(index);
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
void KeyFold::leave(const KeyPlace& place) {
  if (place.origin != 0) {
    place.row = KeyPlace::kNoRow;
    return;
  }
  const StoredBytes key = place.key;
  index_.erase(place);
  layer_.memory.release(key);
}

RowFault KeyFold::take_key(const HashedKey& key, std::uint32_t row) {
  const auto [place, added] =
      index_.find_or_add(key, [&] { return new_place(key, PlaceOf::RowKey); });
  if (is_live(place->row)) {
    return RowFault::MoveOntoPresentRow;
  }
  place->row = row;
  return RowFault::None;
}

}  // namespace re_dms
