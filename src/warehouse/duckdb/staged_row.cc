#include "warehouse/duckdb/staged_row.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace re_dms::duckdb {

namespace {

/// Nothing that a stage writes.
class Unreadable {};

std::string inflated(std::string bytes, std::uint64_t csv_bytes) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  state->next_in = reinterpret_cast<std::uint8_t*>(bytes.data());
  state->avail_in = static_cast<std::uint32_t>(bytes.size());
  // With a byte to spare one call reaches the end.
  std::string text(csv_bytes + 1, '\0');
  state->next_out = reinterpret_cast<std::uint8_t*>(text.data());
  state->avail_out = static_cast<std::uint32_t>(text.size());
  if (isal_inflate(state.get()) != ISAL_DECOMP_OK || state->block_state != ISAL_BLOCK_FINISH ||
      state->avail_in != 0 || state->avail_out != 1) {
    throw Unreadable();
  }
  text.pop_back();
  return text;
}

class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  Row fields() {
    Row fields;
    do {
      fields.push_back(here() == '"' ? quoted() : plain());
    } while (text_[at_++] == ',');
    if (text_[at_ - 1] != '\n' || at_ != text_.size()) {
      throw Unreadable();
    }
    return fields;
  }

 private:
  char here() const {
    if (at_ >= text_.size()) {
      throw Unreadable();
    }
    return text_[at_];
  }

  /// Up to one of these, which is left.
  std::string_view up_to(std::string_view ends) {
    const std::size_t begin = at_;
    at_ = text_.find_first_of(ends, begin);
    here();
    return text_.substr(begin, at_ - begin);
  }

  std::optional<std::string> quoted() {
    std::string field;
    for (;;) {
      ++at_;
      field += up_to("\"");
      ++at_;
      if (here() != '"') {
        return field;
      }
      field += '"';
    }
  }

  std::optional<std::string> plain() {
    const std::string_view field = up_to(",\n");
    return field == "\\N" ? std::nullopt : std::optional<std::string>(field);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Row read_staged_row(const StagedFile& file) try {
  std::ifstream stream(file.path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  const std::string text = inflated(std::move(bytes), file.csv_bytes);
  return Line(text).fields();

} catch (const Unreadable&) {
  throw Error(ErrorKind::Table, fmt::format("the staged file {} does not hold one row", file.path));
}

}  // namespace re_dms::duckdb
