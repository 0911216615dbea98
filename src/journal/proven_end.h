// Up to where the last segment is proven to be on the disk. A process that ended without saying so
// may have failed to write it: the kernel keeps what it could not write in the page cache, takes it
// for written, and later answers an fsync of it with success.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "journal/journal_tail.h"

namespace re_dms {

/// The journal's end as an fsync without error left it. Once true it stays true: segments are only
/// ever appended to. A segment with a successor needs none, because the successor is made behind
/// such an fsync.
struct ProvenEnd {
  JournalPlace place;
  std::uint32_t crc = 0;  ///< of the record that ends there, or of the header

  bool operator==(const ProvenEnd&) const = default;
};

/// DIRECTORY/end.json
std::string proven_end_path(const std::string& directory);

/// What end.json says; empty when it is not there or cannot be read: then nothing is proven.
std::optional<ProvenEnd> load_proven_end(FileSystem& files, const std::string& directory);

/// Replaces end.json; durable on return. Everything before the end must have been fsynced without
/// error.
void store_proven_end(FileSystem& files, const std::string& directory, const ProvenEnd& end);

/// Puts a new file in the place of a segment: its header and its records up to `end`, each checked
/// again. Durable on return; a crash leaves the one file or the other. Needs room for both; takes
/// the new one away again when it cannot be written. Throws Fatal, also when the records no longer
/// match `end`.
void renew_segment(FileSystem& files, const std::string& directory, const ProvenEnd& end);

}  // namespace re_dms
