// A journal segment as a file: its name, and the header that says whose changes it holds, where in
// the stream it begins and how it joins the segment before it. Layout in docs/journal_format.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "model/lsn.h"
#include "model/origin.h"

namespace re_dms {

inline constexpr std::uint32_t kJournalFormat = 1;

struct SegmentHeader {
  std::uint64_t number = 0;
  std::string version;  ///< of the re_dms that wrote it
  /// Cluster, timeline, database, slot, publication and server version; the rest stays empty.
  Origin origin;
  /// Every transaction with commit_lsn >= this is in this segment or a later one, unless it began
  /// in an earlier one (`open`).
  Lsn position;
  Lsn last_commit_end;  ///< of the last transaction before this segment
  bool open = false;    ///< begins inside a transaction
  /// Size of the segment before and the CRC of its last record; both 0 in the first segment. They
  /// show a predecessor that was cut at a record's end.
  std::uint64_t previous_bytes = 0;
  std::uint32_t previous_crc = 0;
};

/// A segment open for reading, its header checked.
struct SegmentFile {
  std::unique_ptr<File> file;
  SegmentHeader header;
  std::uint64_t header_bytes = 0;  ///< offset of the first record
  std::string header_text;         ///< those bytes, as they are in the file
  std::uint32_t crc = 0;           ///< of the header; the first record's CRC continues from it
};

/// DIRECTORY/%016x.journal
std::string segment_path(std::string_view directory, std::uint64_t number);

/// Numbers of the segments in a directory, ascending; other files are passed over. None when the
/// directory is not there.
std::vector<std::uint64_t> list_segments(FileSystem& files, const std::string& directory);

/// The header's bytes, CRC included.
std::string encode_header(const SegmentHeader& header);

/// Throws Fatal naming the file when the header is damaged, of a newer format or of another number.
SegmentFile open_segment(FileSystem& files, const std::string& directory, std::uint64_t number);

/// Creates a segment that holds only its header; durable on return. A crash leaves none or a whole
/// one: it is made under another name first.
SegmentFile create_segment(FileSystem& files, const std::string& directory,
                           const SegmentHeader& header);

/// Throws Fatal naming the first field in which a segment's origin differs from ours. The server
/// version may differ: minor upgrades keep the slot.
void check_same_origin(const Origin& segment, const Origin& ours, const std::string& path);

}  // namespace re_dms
