// Puts a stream of bytes into an object as one gzip member.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "stage/byte_sink.h"
#include "stage/object_store.h"

namespace re_dms {

/// The same bytes taken in the same pieces give the same object: the header holds neither name nor
/// time.
class GzipStream final : public ByteSink {
 public:
  /// `object` must outlive the stream; finishing it is left to the caller.
  GzipStream(ObjectWriter& object, Compression compression);
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  ~GzipStream() override;

  void take(std::string_view bytes) override;

  /// Writes what is held back, and the trailer. Nothing may be taken after it.
  void finish();

  /// Bytes handed to the object so far.
  std::uint64_t bytes() const { return bytes_; }

  /// CRC32C of these bytes.
  std::uint32_t crc32c() const { return crc32c_; }

 private:
  struct Deflate;
  struct Store;

  void deflate();
  void store_block(bool last);
  void put(std::string_view bytes);

  ObjectWriter& object_;
  std::unique_ptr<Deflate> deflate_;  ///< of Compression::Fast
  std::unique_ptr<Store> store_;      ///< of Compression::Stored
  bool finished_ = false;
  std::uint64_t bytes_ = 0;
  std::uint32_t crc32c_ = 0;
};

}  // namespace re_dms
