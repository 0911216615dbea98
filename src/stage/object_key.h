// Which names objects may have, in every store.
#pragma once

#include <string_view>

namespace re_dms {

/// A key as ObjectStore promises it, or the beginning of one: the part after its last '/' may be
/// missing.
bool is_key_beginning(std::string_view name);
bool is_key(std::string_view name);

/// Throw Fatal, with the name, where it is none.
void check_key_beginning(std::string_view name);
void check_key(std::string_view key);

}  // namespace re_dms
