#include "base/utf8.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace re_dms {

namespace {

unsigned char byte_at(std::string_view text, std::size_t place) {
  return static_cast<unsigned char>(text[place]);
}

/// Bytes of the letter that begins the text; 0: it is not UTF-8.
std::size_t letter_bytes(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t bytes = first >= 0xC2 && first <= 0xDF   ? 2
                            : first >= 0xE0 && first <= 0xEF ? 3
                            : first >= 0xF0 && first <= 0xF4 ? 4
                                                             : 0;
  if (bytes == 0 || text.size() < bytes) {
    return 0;
  }
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80) {
      return 0;
    }
  }
  const unsigned second = byte_at(text, 1);
  const bool outside = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                       (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return outside ? 0 : bytes;
}

/// Of the ASCII letters that the text begins with, as many as whole words have.
std::size_t ascii_bytes(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t place = 0;
  for (std::uint64_t word = 0; place + sizeof word <= text.size(); place += sizeof word) {
    std::memcpy(&word, text.data() + place, sizeof word);
    if ((word & kHighBits) != 0) {
      break;
    }
  }
  return place;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(ascii_bytes(text));
    if (text.empty()) {
      break;
    }
    const std::size_t bytes = letter_bytes(text);
    if (bytes == 0) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

std::string readable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t bytes = letter_bytes(text);
    if (bytes == 0) {
      fmt::format_to(std::back_inserter(result), "\\x{:02X}", byte_at(text, 0));
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return result;
}

}  // namespace re_dms
