#include "batch/text_proof.h"

#include <algorithm>

#include "base/utf8.h"

namespace re_dms {

namespace {

/// Whether the type is "char", or may hold one. Composites and the elements of arrays of a type
/// that is not built in are not looked into: they may.
bool may_hold_any_byte(const ColumnType& type) {
  constexpr Oid kChar = 18;  // PostgreSQL 15, pg_type.dat
  constexpr Oid kFirstNormalOid = 16384;
  return type.base_oid == kChar || type.element_oid == kChar ||
         type.element_oid >= kFirstNormalOid || type.kind == 'c';
}

}  // namespace

TextProof::TextProof(const TableSchema& table, bool raw_text) {
  for (const Column& column : table.columns) {
    columns_.push_back(raw_text || may_hold_any_byte(column.type) ? 1 : 0);
  }
  if (std::ranges::count(columns_, 1) == 0) {
    columns_.clear();
  }
}

std::optional<std::size_t> TextProof::unreadable_column(TupleView tuple) const {
  if (tuple.empty() || tuple.count() != columns_.size()) {
    return std::nullopt;
  }
  ColumnCursor values = tuple.columns();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Value value = values.next();
    if (columns_[i] != 0 && value.kind == ValueKind::Text && !is_utf8(value.text)) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace re_dms
