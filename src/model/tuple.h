// Rows as bytes: the tuple encoding of pgoutput, kept as it is from the socket to the CSV writer.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace re_dms {

/// PostgreSQL 15, protocol-logicalrep-message-formats, TupleData. Three kinds of absence stay
/// apart: a NULL, an empty text, and a TOASTed value that did not change and therefore was not
/// sent.
enum class ValueKind : char { Null = 'n', UnchangedToast = 'u', Text = 't' };

struct Value {
  ValueKind kind = ValueKind::Null;
  std::string_view text;  ///< empty unless kind is Text

  bool operator==(const Value&) const = default;
};

/// Walks the columns of a tuple that was validated before (pgoutput/ does, on decoding).
class ColumnCursor {
 public:
  explicit ColumnCursor(const char* first_column) : at_(first_column) {}

  Value next() {
    const auto kind = static_cast<ValueKind>(*at_++);
    if (kind != ValueKind::Text) {
      return {kind, {}};
    }
    const auto size = load_be<std::uint32_t>(at_);
    const Value value{kind, {at_ + 4, size}};
    at_ += 4 + size;
    return value;
  }

 private:
  const char* at_;
};

/// A validated tuple: Int16 column count, then per column 'n', 'u', or 't' Int32 length and bytes.
/// A view: the bytes must outlive it.
class TupleView {
 public:
  TupleView() = default;

  explicit TupleView(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  std::string_view bytes() const { return bytes_; }

  std::uint16_t count() const { return load_be<std::uint16_t>(bytes_.data()); }

  ColumnCursor columns() const { return ColumnCursor(bytes_.data() + 2); }

 private:
  std::string_view bytes_;
};

}  // namespace re_dms
