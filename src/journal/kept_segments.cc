#include "journal/kept_segments.h"

#include <utility>

#include "base/failpoint.h"
#include "journal/segment_file.h"

namespace re_dms {

KeptSegments::KeptSegments(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

void KeptSegments::add(const KeptSegment& segment) {
  const std::lock_guard lock(mutex_);
  segments_.push_back(segment);
  bytes_ += segment.bytes;
  ++count_;
}

void KeptSegments::grow(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  segments_.back().bytes += bytes;
  bytes_ += bytes;
}

bool KeptSegments::release_below(Lsn below, std::uint64_t first_claimed) {
  const std::lock_guard one_at_a_time(deleting_);
  const std::vector<KeptSegment> victims = take_below(below, first_claimed);
  // Oldest first, each durable before the next: a power loss in between leaves no gap.
  for (const KeptSegment& victim : victims) {
    failpoint("journal-release-before");
    files_.remove(segment_path(directory_, victim.number));
    failpoint("journal-release-removed");
    files_.sync_directory(directory_);
    bytes_ -= victim.bytes;
    --count_;
    failpoint("journal-release-after");
  }
  return !victims.empty();
}

std::vector<KeptSegment> KeptSegments::take_below(Lsn below, std::uint64_t first_claimed) {
  const std::lock_guard lock(mutex_);
  auto first_kept = segments_.begin();
  for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
    if (segment->number > first_claimed) {
      break;
    }
    if (!segment->open && segment->position <= below) {
      first_kept = segment;
    }
  }
  std::vector<KeptSegment> victims(segments_.begin(), first_kept);
  segments_.erase(segments_.begin(), first_kept);
  return victims;
}

}  // namespace re_dms
