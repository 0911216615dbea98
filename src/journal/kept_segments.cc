#include "journal/kept_segments.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "journal/segment_file.h"

namespace re_dms {

KeptSegments::KeptSegments(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

void KeptSegments::add(const KeptSegment& segment) {
  const std::lock_guard lock(mutex_);
  segments_.push_back(segment);
  segments_.back().since = real_clock().steady();
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

Lsn KeptSegments::begin() {
  const std::lock_guard lock(mutex_);
  return segments_.empty() ? Lsn{} : segments_.front().position;
}

SteadyTime KeptSegments::oldest_since() const {
  const std::lock_guard lock(mutex_);
  return segments_.empty() ? SteadyTime{} : segments_.front().since;
}

std::uint64_t KeptSegments::bytes_behind(std::uint64_t number, std::uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    if (segment->number <= number) {
      return segment->number == number ? bytes + segment->bytes - std::min(segment->bytes, offset)
                                       : bytes;
    }
    bytes += segment->bytes;
  }
  return bytes;
}

bool KeptSegments::would_release_below(Lsn below, std::uint64_t first_claimed) {
  const std::lock_guard lock(mutex_);
  return first_kept(below, first_claimed) != segments_.begin();
}

std::deque<KeptSegment>::iterator KeptSegments::first_kept(Lsn below, std::uint64_t first_claimed) {
  auto first_kept = segments_.begin();
  for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
    if (segment->number > first_claimed) {
      break;
    }
    if (!segment->open && segment->position <= below) {
      first_kept = segment;
    }
  }
  return first_kept;
}

std::vector<KeptSegment> KeptSegments::take_below(Lsn below, std::uint64_t first_claimed) {
  const std::lock_guard lock(mutex_);
  const auto kept = first_kept(below, first_claimed);
  std::vector<KeptSegment> victims(segments_.begin(), kept);
  segments_.erase(segments_.begin(), kept);
  return victims;
}

}  // namespace re_dms
