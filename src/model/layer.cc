#include "model/layer.h"

#include "base/bytes.h"

namespace re_dms {

void append_key_part(std::string& key, std::string_view text) {
  append_le(key, static_cast<std::uint32_t>(text.size()));
  key.append(text);
}

}  // namespace re_dms
