#include "stage/csv.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
/// Texts up to this size are written in one step, twice as long if all of it is quotes.
constexpr std::size_t kPieceBytes = 32 << 10;
constexpr std::string_view kNullField = "\\N,";

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

std::string null_fields(std::size_t count) {
  std::string fields;
  for (std::size_t i = 0; i < count; ++i) {
    fields += kNullField;
  }
  return fields;
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

CsvWriter::CsvWriter(const TableSchema& table, LayerShape shape, ByteSink& sink)
    : sink_(sink),
      shape_(shape),
      columns_(table.columns.size()),
      key_columns_(re_dms::key_columns(table).size()),
      null_keys_(null_fields(key_columns_)),
      null_columns_(null_fields(columns_)),
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
    put_raw(kNullField);
  }
  if (row.op == RowOp::Insert) {
    RE_DMS_CHECK(row.origin_key.empty());
    put_raw(null_keys_);
    return;
  }
  std::size_t parts = 0;
  for_each_key_part(row.origin_key, [&](std::string_view part) {
    put_text(part);
    ++parts;
  });
  RE_DMS_CHECK(parts == key_columns_);
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
  ColumnCursor cursor = row.tuple.columns();
  for (std::size_t i = 0; i < columns_; ++i) {
    const Value value = cursor.next();
    if (value.kind == ValueKind::Text) {
      put_text(value.text);
    } else {
      // Only an update has a mask that tells "unchanged" from NULL.
      RE_DMS_CHECK(value.kind == ValueKind::Null || row.op == RowOp::Update);
      put_raw(kNullField);
    }
  }
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
