#include "stage/gzip.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/error.h"

namespace re_dms {

namespace {

// RFC 1952, 2.3.1: deflate, no flags, no time, of an unknown system.
constexpr std::string_view kHeader("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10);
// RFC 1951, 3.2.4: one byte says what kind of block it is, then its length and that inverted.
constexpr std::size_t kBlockHeader = 5;
constexpr std::size_t kBlockMax = 65'535;

void put_little_endian(char* to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    to[i] = static_cast<char>(value >> (8 * i));
  }
}

}  // namespace

struct GzipStream::Deflate {
  isal_zstream stream;
  std::uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
  std::uint8_t out[128 << 10];
};

struct GzipStream::Store {
  std::size_t held = 0;
  std::uint32_t crc = 0;
  std::uint32_t size = 0;
  char block[kBlockHeader + kBlockMax];
};

GzipStream::GzipStream(ObjectWriter& object, Compression compression) : object_(object) {
  if (compression == Compression::Stored) {
    store_ = std::make_unique<Store>();
    put(kHeader);
    return;
  }
  // Zeroed: ISA-L's searches for matches must not begin with what the memory held before.
  deflate_ = std::make_unique<Deflate>();
  isal_zstream& stream = deflate_->stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = deflate_->level_buffer;
  stream.level_buf_size = sizeof(deflate_->level_buffer);
  stream.gzip_flag = IGZIP_GZIP;
}

GzipStream::~GzipStream() = default;

void GzipStream::take(std::string_view bytes) {
  RE_DMS_CHECK(!finished_);
  while (!bytes.empty()) {
    if (store_) {
      const std::size_t room = kBlockMax - store_->held;
      const std::string_view step = bytes.substr(0, room);
      bytes.remove_prefix(step.size());
      std::memcpy(store_->block + kBlockHeader + store_->held, step.data(), step.size());
      store_->held += step.size();
      if (store_->held == kBlockMax) {
        store_block(false);
      }
      continue;
    }
    constexpr std::size_t kStep = 1U << 30;
    const std::string_view step = bytes.substr(0, kStep);
    bytes.remove_prefix(step.size());
    isal_zstream& stream = deflate_->stream;
    // ISA-L does not write through next_in.
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(step.data()));
    stream.avail_in = static_cast<std::uint32_t>(step.size());
    deflate();
    RE_DMS_CHECK(stream.avail_in == 0);
  }
}

void GzipStream::finish() {
  RE_DMS_CHECK(!finished_);
  finished_ = true;
  if (store_) {
    store_block(true);
    char trailer[8];
    put_little_endian(trailer, store_->crc, 4);
    put_little_endian(trailer + 4, store_->size, 4);
    put({trailer, sizeof trailer});
    return;
  }
  isal_zstream& stream = deflate_->stream;
  stream.end_of_stream = 1;
  stream.avail_in = 0;
  deflate();
  RE_DMS_CHECK(stream.internal_state.state == ZSTATE_END);
}

void GzipStream::deflate() {
  isal_zstream& stream = deflate_->stream;
  do {
    stream.next_out = deflate_->out;
    stream.avail_out = sizeof(deflate_->out);
    RE_DMS_CHECK(isal_deflate(&stream) == COMP_OK);
    put({reinterpret_cast<const char*>(deflate_->out), sizeof(deflate_->out) - stream.avail_out});
  } while (stream.avail_out == 0);
}

void GzipStream::store_block(bool last) {
  char* const block = store_->block;
  const auto held = static_cast<std::uint32_t>(store_->held);
  block[0] = last ? 1 : 0;
  put_little_endian(block + 1, held, 2);
  put_little_endian(block + 3, ~held, 2);
  const auto* content = reinterpret_cast<const unsigned char*>(block + kBlockHeader);
  store_->crc = crc32_gzip_refl(store_->crc, content, held);
  store_->size += held;
  store_->held = 0;
  put({block, kBlockHeader + held});
}

void GzipStream::put(std::string_view bytes) {
  if (!bytes.empty()) {
    object_.append(bytes);
    bytes_ += bytes.size();
    crc32c_ = re_dms::crc32c(crc32c_, bytes);
  }
}

}  // namespace re_dms
