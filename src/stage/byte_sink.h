// Where a producer of bytes puts them, a full buffer at a time.
#pragma once

#include <string_view>

namespace re_dms {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// `bytes` are valid during the call only. Throws what the end of the chain throws.
  virtual void take(std::string_view bytes) = 0;
};

}  // namespace re_dms
