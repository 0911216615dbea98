// Any bytes as one message of the stream: decoded and walked, or refused with an Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "pgoutput/messages.h"

namespace {

std::size_t walk(const re_dms::TupleView& tuple) {
  std::size_t bytes = 0;
  if (!tuple.empty()) {
    re_dms::ColumnCursor columns = tuple.columns();
    for (std::uint16_t i = 0; i < tuple.count(); ++i) {
      bytes += columns.next().text.size();
    }
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace pgoutput = re_dms::pgoutput;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const pgoutput::Message message = pgoutput::decode(bytes);
    std::size_t walked = 0;
    if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
      walked = walk(update->old_tuple) + walk(update->tuple);
    } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
      walked = walk(insert->tuple);
    } else if (const auto* erased = std::get_if<pgoutput::Delete>(&message)) {
      walked = walk(erased->old_tuple);
    }
    return walked <= size ? 0 : -1;
  } catch (const re_dms::Error&) {
    return 0;
  }
}
