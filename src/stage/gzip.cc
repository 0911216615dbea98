#include "stage/gzip.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/error.h"

namespace re_dms {

struct GzipStream::Deflate {
  isal_zstream stream;
  std::uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
  std::uint8_t out[128 << 10];
};

GzipStream::GzipStream(ObjectWriter& object)
    // Zeroed: ISA-L's searches for matches must not begin with what the memory held before.
    : object_(object), state_(std::make_unique<Deflate>()) {
  isal_zstream& stream = state_->stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = state_->level_buffer;
  stream.level_buf_size = sizeof(state_->level_buffer);
  stream.gzip_flag = IGZIP_GZIP;
}

GzipStream::~GzipStream() = default;

void GzipStream::take(std::string_view bytes) {
  isal_zstream& stream = state_->stream;
  RE_DMS_CHECK(stream.end_of_stream == 0);
  while (!bytes.empty()) {
    constexpr std::size_t kStep = 1U << 30;
    const std::string_view step = bytes.substr(0, kStep);
    bytes.remove_prefix(step.size());
    // ISA-L does not write through next_in.
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(step.data()));
    stream.avail_in = static_cast<std::uint32_t>(step.size());
    deflate();
    RE_DMS_CHECK(stream.avail_in == 0);
  }
}

void GzipStream::finish() {
  isal_zstream& stream = state_->stream;
  RE_DMS_CHECK(stream.end_of_stream == 0);
  stream.end_of_stream = 1;
  stream.avail_in = 0;
  deflate();
  RE_DMS_CHECK(stream.internal_state.state == ZSTATE_END);
}

void GzipStream::deflate() {
  isal_zstream& stream = state_->stream;
  do {
    stream.next_out = state_->out;
    stream.avail_out = sizeof(state_->out);
    RE_DMS_CHECK(isal_deflate(&stream) == COMP_OK);
    const std::size_t made = sizeof(state_->out) - stream.avail_out;
    if (made > 0) {
      const std::string_view out(reinterpret_cast<const char*>(state_->out), made);
      object_.append(out);
      bytes_ += made;
      crc32c_ = re_dms::crc32c(crc32c_, out);
    }
  } while (stream.avail_out == 0);
}

}  // namespace re_dms
