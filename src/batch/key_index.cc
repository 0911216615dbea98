#include "batch/key_index.h"

namespace re_dms {

// Abseil doubles a table with tombstones in it when more than 25/32 of its slots hold keys, and one
// without them later; per slot it keeps the value and one control byte.
void KeyIndex::grow_counted() {
  std::size_t slots = 15;
  while (slots / 32 * 25 + slots % 32 * 25 / 32 < places_.size()) {
    slots = slots * 2 + 1;
  }
  keys_at_capacity_ = slots / 32 * 25 + slots % 32 * 25 / 32;
  counted_bytes_ = slots * (sizeof(KeyPlace) + 1);
}

}  // namespace re_dms
