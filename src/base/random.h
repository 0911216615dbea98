// Names that nobody has used before.
#pragma once

#include <string>

namespace re_dms {

/// 16 hexadecimal digits.
std::string random_hex();

}  // namespace re_dms
