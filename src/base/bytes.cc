#include "base/bytes.h"

#include <fmt/format.h>

namespace re_dms {

std::string_view ByteReader::text() {
  const std::size_t end = bytes_.find('\0', offset_);
  if (end == std::string_view::npos) {
    fail("has an unterminated string");
  }
  const std::string_view found = bytes_.substr(offset_, end - offset_);
  offset_ = end + 1;
  return found;
}

void ByteReader::expect_end() const {
  if (!at_end()) {
    fail(fmt::format("has {} bytes too many", remaining()));
  }
}

void ByteReader::fail(std::string_view problem) const {
  throw Error(ErrorKind::Fatal,
              fmt::format("{} {} at byte {} of {}", what_, problem, offset_, bytes_.size()));
}

}  // namespace re_dms
