#include "batch/tuple_shape.h"

#include <fmt/format.h>

#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "model/layer.h"

namespace re_dms {

namespace {

std::optional<ColumnCursor> columns_of(TupleView tuple) {
  return tuple.empty() ? std::nullopt : std::optional(tuple.columns());
}

/// Calls `each` with the values of the merged row, in column order.
template <typename F>
void for_each_merged(const std::vector<char>& from_old, const TupleShape::Images& images, F each) {
  ColumnCursor fresh = images.fresh.columns();
  std::optional<ColumnCursor> old = columns_of(images.old);
  std::optional<ColumnCursor> before = columns_of(images.before);
  for (const char takes_old : from_old) {
    Value value = fresh.next();
    const Value old_value = old ? old->next() : Value{ValueKind::UnchangedToast, {}};
    const Value before_value = before ? before->next() : Value{ValueKind::UnchangedToast, {}};
    if (value.kind == ValueKind::UnchangedToast) {
      value = takes_old != 0 && old ? old_value : before_value;
    }
    each(value);
  }
}

std::size_t encoded_bytes(const Value& value) {
  return value.kind == ValueKind::Text ? 5 + value.text.size() : 1;
}

}  // namespace

TupleShape::TupleShape(TablePtr table) : table_(std::move(table)) {
  key_.reserve(table_->columns.size());
  from_old_.reserve(table_->columns.size());
  for (const Column& column : table_->columns) {
    key_.push_back(column.key ? 1 : 0);
    from_old_.push_back(column.key || table_->identity == ReplicaIdentity::Full ? 1 : 0);
  }
}

void TupleShape::check_count(TupleView tuple) const {
  if (tuple.count() != key_.size()) [[unlikely]] {
    throw Error(ErrorKind::Fatal, fmt::format("a row of {} has {} columns, but its relation has {}",
                                              to_string(table_->name), tuple.count(), key_.size()));
  }
}

TupleShape::Reading TupleShape::read_key(TupleView tuple, TupleView old, std::string& key) const {
  check_count(tuple);
  if (!old.empty()) {
    check_count(old);
  }
  Reading reading;
  key.clear();
  ColumnCursor columns = tuple.columns();
  std::optional<ColumnCursor> old_columns = columns_of(old);
  for (const char is_key : key_) {
    Value value = columns.next();
    const Value old_value = old_columns ? old_columns->next() : Value{value.kind, {}};
    if (value.kind == ValueKind::UnchangedToast) {
      reading.complete = false;
      value = is_key != 0 ? old_value : value;
    }
    if (is_key != 0) {
      if (value.kind == ValueKind::Text) {
        append_key_part(key, value.text);
      } else {
        reading.fault = value.kind == ValueKind::Null ? RowFault::KeyIsNull : RowFault::KeyNotSent;
      }
    }
  }
  return reading;
}

std::size_t TupleShape::merged_bytes(const Images& images) const {
  std::size_t bytes = sizeof(std::uint16_t);
  for_each_merged(from_old_, images, [&](const Value& value) { bytes += encoded_bytes(value); });
  return bytes;
}

bool TupleShape::merge(const Images& images, char* to) const {
  bool complete = true;
  store_be(to, static_cast<std::uint16_t>(key_.size()));
  to += sizeof(std::uint16_t);
  for_each_merged(from_old_, images, [&](const Value& value) {
    *to++ = static_cast<char>(value.kind);
    if (value.kind == ValueKind::Text) {
      store_be(to, static_cast<std::uint32_t>(value.text.size()));
      std::memcpy(to + sizeof(std::uint32_t), value.text.data(), value.text.size());
      to += sizeof(std::uint32_t) + value.text.size();
    }
    complete = complete && value.kind != ValueKind::UnchangedToast;
  });
  return complete;
}

bool TupleShape::is_complete(TupleView tuple) const {
  check_count(tuple);
  ColumnCursor columns = tuple.columns();
  for (std::size_t left = key_.size(); left > 0; --left) {
    if (columns.next().kind == ValueKind::UnchangedToast) {
      return false;
    }
  }
  return true;
}

}  // namespace re_dms
