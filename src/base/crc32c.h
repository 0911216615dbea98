// CRC32C (Castagnoli), as the journal chains it over its records.
#pragma once

#include <cstdint>
#include <string_view>

namespace re_dms {

/// CRC32C of `bytes`, continued from `seed` (0 to begin). crc32c(crc32c(0, a), b) equals
/// crc32c(0, a + b). RFC 3720 B.4: 32 zero bytes give 0x8A9136AA.
std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes);

}  // namespace re_dms
