// Reads the records of segments, one after the other, and checks each one's CRC. Records can be
// held back to back in memory until their end is known, also across segments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/file_system.h"
#include "journal/journal_tail.h"
#include "journal/segment_file.h"
#include "model/journal_block.h"

namespace re_dms {

/// CRC of a record: CRC32C of its kind and body, continued from the CRC of the record before it
/// with the length mixed in, so that bytes which were not written after that record never pass.
/// (XOR into the state is what a CRC does with four bytes anyway; a call of its own for them costs
/// 19 ns.) `record` is the whole record.
inline std::uint32_t record_crc(std::uint32_t previous, std::string_view record) {
  return crc32c(previous ^ load_le<std::uint32_t>(record.data()), record.substr(8));
}

class RecordScan {
 public:
  enum class Step {
    Record,  ///< record() is the next one
    End,     ///< nothing between here and the end
    Bad,     ///< what follows is no record; problem() says why
  };

  /// `files` must outlive the scan.
  RecordScan(FileSystem& files, std::string directory);

  /// Goes on in another segment, behind its header. Throws Fatal when the header is damaged.
  void open(std::uint64_t number);

  /// Checks the next record that ends at or before byte `end` of the segment. Stays in front of a
  /// bad one.
  Step next(std::uint64_t end);

  /// The last one found; valid until the next call of next().
  RecordView record() const;

  const std::string& problem() const { return problem_; }

  /// All records since the last drop, back to back; valid until the next call of next().
  std::string_view held() const;

  /// Drops all held records.
  void drop();

  /// Holds the last record only.
  void drop_all_but_last() { held_at_ = last_at_; }

  /// Behind the last good record.
  JournalPlace place() const { return {segment_.header.number, offset_}; }

  /// CRC of the last good record, or of the header.
  std::uint32_t crc() const { return crc_; }

  const SegmentFile& segment() const { return segment_; }

 private:
  bool fill(std::size_t wanted, std::uint64_t end);
  void make_room(std::size_t wanted);
  Step bad(std::string problem);

  FileSystem& files_;
  std::string directory_;
  SegmentFile segment_;
  std::uint64_t offset_ = 0;  ///< in the file, of next_at_
  std::uint32_t crc_ = 0;
  std::string problem_;
  // Places in the buffer: held records, of which the last; what comes next; the end of what was
  // read.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t held_at_ = 0;
  std::size_t last_at_ = 0;
  std::size_t next_at_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace re_dms
