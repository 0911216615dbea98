// What a person can do when changes cannot be recovered: the end of many errors' advice.
#pragma once

#include <string>
#include <string_view>

namespace re_dms {

inline constexpr std::string_view kBeginAnew =
    "tart over: `re_dms teardown --yes` drops slot, publication and journal; then move the target "
    "file away, or drop the schemas re_dms and re_dms_internal and the tables of a Redshift";

/// `advice`, which ends in a full stop and a space, followed by how to start over.
inline std::string begin_anew(std::string_view advice) {
  return std::string(advice) + "S" + std::string(kBeginAnew);
}

/// The same where `advice` alone may be enough.
inline std::string or_begin_anew(std::string_view advice) {
  return std::string(advice) + "Otherwise s" + std::string(kBeginAnew);
}

}  // namespace re_dms
