// What a start does with the segments that the last run left.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/kept_segments.h"
#include "journal/position_facts.h"
#include "journal/stream_track.h"
#include "model/origin.h"

namespace re_dms {

struct RecoveredJournal {
  std::vector<KeptSegment> segments;  ///< ascending; never empty
  std::unique_ptr<File> file;         ///< the last one, to append to
  std::uint32_t crc = 0;              ///< of its last record, or its header
  StreamTrack track;                  ///< at its end
  PositionFacts facts;  ///< at its end; those of an open transaction are not among them
};

/// Checks the headers of all segments and every record of the last one, and makes what is kept
/// durable. Where end.json does not prove that the last segment is on the disk, a new file with its
/// good records takes its place: this cuts off a torn tail and writes what an earlier process
/// failed to write and only the page cache holds. Starts segment 1 at the origin's consistent point
/// where there is none. Throws Fatal on a segment of another origin, a gap, or damage elsewhere
/// than in the tail.
RecoveredJournal recover_journal(FileSystem& files, const std::string& directory,
                                 const Origin& origin);

}  // namespace re_dms
