#include "stage/csv.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "stage/json_text.h"

namespace re_dms {

namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
/// Texts up to this size are written in one step, twice as long if all of it is quotes.
constexpr std::size_t kPieceBytes = 32 << 10;

/// GCC and clang compile this to SSE2 and NEON.
using Block = unsigned char __attribute__((vector_size(16)));

Block load_block(const char* from) {
  Block block;
  std::memcpy(&block, from, sizeof(block));
  return block;
}

constexpr Block all(unsigned char byte) {
  return Block{} + byte;
}

/// Loads less than a block without reading beyond the text; bytes may appear twice.
Block load_short(std::string_view text) {
  std::uint64_t halves[2];
  const char* const last = text.data() + text.size();
  if (text.size() >= 8) {
    std::memcpy(&halves[0], text.data(), 8);
    std::memcpy(&halves[1], last - 8, 8);
  } else if (text.size() >= 4) {
    std::uint32_t quarters[2];
    std::memcpy(&quarters[0], text.data(), 4);
    std::memcpy(&quarters[1], last - 4, 4);
    std::memcpy(&halves[0], quarters, 8);
    halves[1] = halves[0];
  } else {
    std::memset(halves, text.front(), sizeof(halves));
    auto* const bytes = reinterpret_cast<char*>(halves);
    bytes[1] = text[text.size() / 2];
    bytes[2] = text.back();
  }
  Block block;
  std::memcpy(&block, halves, sizeof(block));
  return block;
}

Block special_bytes(Block block) {
  return Block((block < all(' ')) | (block == all('"')) | (block == all(',')));
}

bool any(Block mask) {
  std::uint64_t halves[2];
  std::memcpy(halves, &mask, sizeof(halves));
  return (halves[0] | halves[1]) != 0;
}

bool has_special_bytes(std::string_view text) {
  if (text.size() < sizeof(Block)) {
    return any(special_bytes(load_short(text)));
  }
  const char* at = text.data();
  const char* const last_block = at + text.size() - sizeof(Block);
  Block found{};
  for (; at < last_block; at += sizeof(Block)) {
    found |= special_bytes(load_block(at));
  }
  return any(found | special_bytes(load_block(last_block)));
}

/// Copies `text` with its quotes doubled; there must be room for twice its size, and a block.
char* copy_doubling_quotes(std::string_view text, char* to) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (static_cast<std::size_t>(end - at) >= sizeof(Block)) {
      const Block block = load_block(at);
      if (!any(Block(block == all('"')))) {
        std::memcpy(to, &block, sizeof(block));
        at += sizeof(block);
        to += sizeof(block);
        continue;
      }
    }
    const char* const stop = at + std::min(end - at, std::ptrdiff_t{sizeof(Block)});
    for (; at != stop; ++at) {
      to[0] = *at;
      to[1] = '"';
      to += *at == '"' ? 2 : 1;
    }
  }
  return to;
}

std::string repeated(const std::string& field, std::size_t count) {
  std::string fields;
  for (std::size_t i = 0; i < count; ++i) {
    fields += field;
  }
  return fields;
}

/// The value's bytes in a line, its comma not counted.
std::size_t field_bytes(std::string_view text) {
  return needs_quotes(text)
             ? text.size() + 2 + static_cast<std::size_t>(std::ranges::count(text, '"'))
             : text.size();
}

}  // namespace

bool needs_quotes(std::string_view text) {
  if (text.empty()) {
    return true;
  }
  const char first = text.front();
  return first == '\\' || first == ' ' || first == '\xEF' || text.back() == ' ' ||
         has_special_bytes(text);
}

CsvWriter::CsvWriter(const TableSchema& table, LayerShape shape, ByteSink& sink,
                     const StageFormat& format)
    : sink_(sink),
      shape_(shape),
      columns_(table.columns.size()),
      plan_(table, format),
      adjusted_(key_columns(table)),
      keys_(key_columns(table)),
      null_field_(format.null_text + ","),
      null_keys_(repeated(null_field_, keys_.size())),
      null_columns_(repeated(null_field_, columns_)),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      end_(buffer_.get()) {}

std::uint64_t CsvWriter::append(const NetRow& row) {
  const std::uint64_t before = bytes();
  switch (shape_) {
    case LayerShape::Inserts:
      RE_DMS_CHECK(row.op == RowOp::Insert);
      break;
    case LayerShape::Changes:
      put_before_columns(row);
      break;
    case LayerShape::Multiset:
      RE_DMS_CHECK(row.op == RowOp::Insert || row.op == RowOp::Delete);
      put_op(row.op);
      break;
  }
  put_columns(row);
  // Every field ends with a comma and nothing drains after writing one.
  if (columns_ == 0) {
    *room(1) = '\n';
    ++end_;
  } else {
    end_[-1] = '\n';
  }
  return bytes() - before;
}

void CsvWriter::put_op(RowOp op) {
  const char field[] = {static_cast<char>(op), ','};
  put_raw({field, sizeof(field)});
}

void CsvWriter::put_before_columns(const NetRow& row) {
  put_op(row.op);
  if (row.op == RowOp::Update) {
    put_mask(row.tuple);
  } else {
    put_raw(null_field_);
  }
  if (row.op == RowOp::Insert) {
    RE_DMS_CHECK(row.origin_key.empty());
    put_raw(null_keys_);
    return;
  }
  std::size_t parts = 0;
  for_each_key_part(row.origin_key, [&](std::string_view part) {
    if (plan_.empty()) {
      put_text(part);
    } else {
      put_value(plan_.limits(keys_.at(parts)), part);
    }
    ++parts;
  });
  RE_DMS_CHECK(parts == keys_.size());
}

void CsvWriter::put_mask(const TupleView& tuple) {
  RE_DMS_CHECK(!tuple.empty() && tuple.count() == columns_);
  char* to = room(columns_ + 1);
  ColumnCursor cursor = tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    *to++ = cursor.next().kind == ValueKind::UnchangedToast ? '0' : '1';
  }
  *to++ = ',';
  end_ = to;
}

void CsvWriter::put_columns(const NetRow& row) {
  if (row.op == RowOp::Delete && shape_ == LayerShape::Changes) {
    RE_DMS_CHECK(row.tuple.empty());
    put_raw(null_columns_);
    return;
  }
  RE_DMS_CHECK(!row.tuple.empty() && row.tuple.count() == columns_);
  plan_.empty() ? put_plain(row) : put_planned(row);
}

void CsvWriter::put_plain(const NetRow& row) {
  ColumnCursor cursor = row.tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    const Value value = cursor.next();
    if (value.kind == ValueKind::Text) {
      put_text(value.text);
    } else {
      // Only an update has a mask that tells "unchanged" from NULL.
      RE_DMS_CHECK(value.kind == ValueKind::Null || row.op == RowOp::Update);
      put_raw(null_field_);
    }
  }
}

void CsvWriter::put_planned(const NetRow& row) {
  std::vector<bool> out;
  if (plan_.may_be_too_long(row.tuple.bytes().size() + row.origin_key.size())) [[unlikely]] {
    out = left_out(row);
  }
  if (!out.empty()) [[unlikely]] {
    put_without(out, row);
    return;
  }
  ColumnCursor cursor = row.tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    put_planned(i, cursor.next(), row);
  }
}

// Inlined by force: it runs for each value.
[[gnu::always_inline]] inline void CsvWriter::put_planned(std::size_t column, Value value,
                                                          const NetRow& row) {
  if (value.kind != ValueKind::Text) {
    RE_DMS_CHECK(value.kind == ValueKind::Null || row.op == RowOp::Update);
    put_raw(null_field_);
  } else if (plan_.is_plain(column)) {
    put_text(value.text);
  } else if (plan_.limits(column).written == Written::AsJson) {
    put_as_json(column, value.text, row);
  } else if (fits(plan_.limits(column), value.text)) [[likely]] {
    put_value(plan_.limits(column), value.text);
  } else {
    put_held(column, value.text, row);
  }
}

/// Looked at and written at once: making JSON costs more than all else.
void CsvWriter::put_as_json(std::size_t column, std::string_view text, const NetRow& row) {
  if (to_json(plan_.limits(column), text, parts_, json_).empty()) [[likely]] {
    put_text(json_);
  } else {
    put_held(column, text, row);
  }
}

void CsvWriter::put_without(const std::vector<bool>& out, const NetRow& row) {
  ColumnCursor cursor = row.tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    const Value value = cursor.next();
    if (out[i]) {
      note_changed(i, {{}, kRowTooLong, kBecameNull}, value.text, row);
      put_raw(null_field_);
    } else {
      put_planned(i, value, row);
    }
  }
}

void CsvWriter::put_held(std::size_t column, std::string_view text, const NetRow& row) {
  const HeldValue held = hold(plan_.limits(column), plan_.policy(column), text);
  if (held.refused) {
    adjusted_.refused({column, held.reason, plan_.is_key(column), held.remedy});
  } else {
    note_changed(column, held, text, row);
  }
  held.text ? put_value(plan_.limits(column), *held.text) : put_raw(null_field_);
}

/// A row that goes takes along what it was changed to: it counted when it came.
void CsvWriter::note_changed(std::size_t column, const HeldValue& held, std::string_view text,
                             const NetRow& row) {
  if (row.op != RowOp::Delete) {
    adjusted_.changed(column, held, text, row.tuple);
  }
}

/// Of a row without a key the same in every shape, so that it is left out of the same values when
/// it comes and when it goes.
std::size_t CsvWriter::bytes_before_columns(const NetRow& row) const {
  constexpr std::size_t kOpBytes = 2;
  if (shape_ != LayerShape::Changes) {
    return keys_.empty() ? kOpBytes : 0;
  }
  std::size_t bytes = row.op == RowOp::Insert ? null_keys_.size() : 0;
  for_each_key_part(row.origin_key, [&](std::string_view part) { bytes += field_bytes(part) + 1; });
  return kOpBytes + bytes + (row.op == RowOp::Update ? columns_ + 1 : null_field_.size());
}

/// The columns to write as NULL, longest first, so that the row is not too long.
std::vector<bool> CsvWriter::left_out(const NetRow& row) {
  const std::size_t null_bytes = null_field_.size() - 1;
  std::vector<std::size_t> bytes(columns_);
  std::size_t total = bytes_before_columns(row) + columns_;
  ColumnCursor cursor = row.tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    const Value value = cursor.next();
    std::optional<std::string_view> text;
    if (value.kind == ValueKind::Text) {
      text = fits(plan_.limits(i), value.text)
                 ? value.text
                 : hold(plan_.limits(i), plan_.policy(i), value.text).text;
    }
    bytes[i] = text ? value_bytes(plan_.limits(i), *text) : 0;
    total += text ? bytes[i] : null_bytes;
  }
  std::vector<bool> out(columns_, false);
  while (total > plan_.row_bytes_max()) {
    const auto longest = static_cast<std::size_t>(std::ranges::max_element(bytes) - bytes.begin());
    const BadValues policy = plan_.policy(longest);
    if (policy == BadValues::Error || policy == BadValues::Usual || bytes[longest] <= null_bytes) {
      adjusted_.refused({longest, kRowTooLong, plan_.is_key(longest)});
      return {};
    }
    total -= bytes[longest] - null_bytes;
    bytes[longest] = 0;
    out[longest] = true;
  }
  return out;
}

/// Valid until the next one; some JSON also where there is none for the value, which is refused.
std::string_view CsvWriter::as_json(const ValueLimits& limits, std::string_view text) {
  return to_json(limits, text, parts_, json_).empty() ? std::string_view(json_) : "null";
}

/// As field_bytes, of the text that is written for the value.
std::size_t CsvWriter::value_bytes(const ValueLimits& limits, std::string_view text) {
  if (limits.written != Written::AsJson) {
    return field_bytes(text);
  }
  return field_bytes(as_json(limits, text));
}

char* CsvWriter::room(std::size_t size) {
  if (static_cast<std::size_t>(buffer_.get() + kBufferBytes - end_) < size) [[unlikely]] {
    RE_DMS_CHECK(size <= kBufferBytes);
    drain();
  }
  return end_;
}

void CsvWriter::drain() {
  const auto size = static_cast<std::size_t>(end_ - buffer_.get());
  if (size > 0) {
    sink_.take({buffer_.get(), size});
    drained_ += size;
    end_ = buffer_.get();
  }
}

void CsvWriter::put_raw(std::string_view fields) {
  std::memcpy(room(fields.size()), fields.data(), fields.size());
  end_ += fields.size();
}

void CsvWriter::put_text(std::string_view text) {
  if (text.size() > kPieceBytes) [[unlikely]] {
    put_long_text(text);
    return;
  }
  char* to = room(2 * text.size() + sizeof(Block) + 3);
  if (needs_quotes(text)) {
    *to++ = '"';
    to = copy_doubling_quotes(text, to);
    *to++ = '"';
  } else {
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  }
  *to++ = ',';
  end_ = to;
}

void CsvWriter::put_value(const ValueLimits& limits, std::string_view text) {
  if (limits.written != Written::AsItIs) {
    put_rewritten(limits, text);
    return;
  }
  put_text(text);
}

void CsvWriter::put_rewritten(const ValueLimits& limits, std::string_view text) {
  if (limits.written == Written::AsJson) {
    put_text(as_json(limits, text));
    return;
  }
  // bytea_output is pinned to hex.
  RE_DMS_CHECK(text.starts_with("\\x"));
  put_text(text.substr(2));
}

// In pieces, so that the buffer stays small beside the largest rows.
void CsvWriter::put_long_text(std::string_view text) {
  const bool quoted = needs_quotes(text);
  const std::string_view quote = quoted ? "\"" : "";
  put_raw(quote);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, kPieceBytes);
    text.remove_prefix(piece.size());
    if (quoted) {
      end_ = copy_doubling_quotes(piece, room(2 * piece.size() + sizeof(Block)));
    } else {
      put_raw(piece);
    }
  }
  // Quote and comma in one step: nothing may drain between a line's last comma and its newline.
  put_raw(quoted ? "\"," : ",");
}

}  // namespace re_dms
