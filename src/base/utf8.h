// Whether bytes are UTF-8, for what comes from databases that do not say so.
#pragma once

#include <string>
#include <string_view>

namespace re_dms {

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// The text with each byte that is not valid UTF-8 written as "\xE9": for people, not for parsing.
std::string readable(std::string_view text);

}  // namespace re_dms
