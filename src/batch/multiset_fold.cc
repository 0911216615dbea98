#include "batch/multiset_fold.h"

#include <limits>

#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kMergedBytesKept = 64 << 10;

}  // namespace

RowFault MultisetFold::insert(const pgoutput::Insert& change) {
  if (!shape_.is_complete(change.tuple)) {
    return RowFault::InsertWithoutValue;
  }
  const std::string_view row = change.tuple.bytes();
  if (const RowFault fault = check_size(row.size()); fault != RowFault::None) {
    return fault;
  }
  count(row, RowOp::Insert);
  return RowFault::None;
}

RowFault MultisetFold::update(const pgoutput::Update& change) {
  if (change.old_kind != pgoutput::OldTuple::Full) {
    return RowFault::NoFullOldTuple;
  }
  if (!shape_.is_complete(change.old_tuple)) {
    return RowFault::OldRowWithoutValue;
  }
  std::string_view fresh = change.tuple.bytes();
  if (!shape_.is_complete(change.tuple)) {
    const TupleShape::Images images{change.tuple, change.old_tuple, TupleView()};
    merged_.resize(shape_.merged_bytes(images));
    shape_.merge(images, merged_.data());
    fresh = merged_;
  }
  if (const RowFault fault = check_size(fresh.size()); fault != RowFault::None) {
    return fault;
  }
  if (fresh != change.old_tuple.bytes()) {
    count(change.old_tuple.bytes(), RowOp::Delete);
    count(fresh, RowOp::Insert);
  }
  // Not counted in any budget, so it is freed when it is large.
  if (merged_.capacity() > kMergedBytesKept) {
    merged_ = std::string();
  }
  return RowFault::None;
}

RowFault MultisetFold::erase(const pgoutput::Delete& change) {
  if (change.old_kind != pgoutput::OldTuple::Full) {
    return RowFault::NoFullOldTuple;
  }
  if (!shape_.is_complete(change.old_tuple)) {
    return RowFault::OldRowWithoutValue;
  }
  count(change.old_tuple.bytes(), RowOp::Delete);
  return RowFault::None;
}

/// One more (Insert) or one fewer (Delete) of this row.
void MultisetFold::count(std::string_view row, RowOp op) {
  const HashedKey key(row);
  const auto [place, added] = index_.find_or_add(key, [&] {
    return KeyPlace{layer_.memory.store(row), key.hash & 0x7FFFFFFFU, 1U, KeyPlace::kNoRow};
  });
  if (added) {
    place->row = add_row(op);
    layer_.rows[place->row].tuple = place->key;
    return;
  }
  const std::uint32_t index = place->row;
  Layer::StoredRow& stored = layer_.rows[index];
  if (stored.op == op) {
    RE_DMS_CHECK(stored.copies < std::numeric_limits<std::uint32_t>::max());
    ++stored.copies;
  } else if (--stored.copies == 0) {
    index_.erase(*place);
    layer_.memory.release(stored.tuple);
    stored.tuple = {};
    make_void(index);
  }
}

}  // namespace re_dms
