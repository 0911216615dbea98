#include "base/crc32c.h"

#include <isa-l/crc.h>

namespace re_dms {

std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) {
  // crc32_iscsi takes int lengths and a non-const pointer it does not write through.
  auto* at = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();
  std::uint32_t crc = ~seed;
  constexpr std::size_t kStep = 1U << 30;
  while (left > kStep) {
    crc = crc32_iscsi(at, static_cast<int>(kStep), crc);
    at += kStep;
    left -= kStep;
  }
  return ~crc32_iscsi(at, static_cast<int>(left), crc);
}

}  // namespace re_dms
