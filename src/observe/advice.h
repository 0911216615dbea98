// What is left to a person when changes are not to be had any more: the end of many errors' advice.
#pragma once

#include <string>
#include <string_view>

namespace re_dms {

inline constexpr std::string_view kBeginAnew =
    "egin anew: `re_dms teardown --yes` drops slot, publication and journal; then move the target "
    "file away. Tables that hold rows by then are left out, as this version cannot copy them";

/// `advice` followed by beginning anew; it ends in a full stop and a blank.
inline std::string begin_anew(std::string_view advice) {
  return std::string(advice) + "B" + std::string(kBeginAnew);
}

/// The same where `advice` may do.
inline std::string or_begin_anew(std::string_view advice) {
  return std::string(advice) + "Otherwise b" + std::string(kBeginAnew);
}

}  // namespace re_dms
