// The segments on disk: their total size, and which of them are no longer needed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "model/lsn.h"

namespace re_dms {

/// A segment as far as its deletion is concerned.
struct KeptSegment {
  std::uint64_t number = 0;
  Lsn position;       ///< where it begins
  bool open = false;  ///< begins inside a transaction: no reader can start there
  std::uint64_t bytes = 0;
  SteadyTime since{};  ///< when it was added; set by KeptSegments
};

/// Segments are added by the journal's thread; release_below, bytes and bytes_behind are for any.
class KeptSegments {
 public:
  /// `files` must outlive it.
  KeptSegments(FileSystem& files, std::string directory);

  /// The next segment begins. Its bytes count from now on.
  void add(const KeptSegment& segment);

  /// The newest segment grew.
  void grow(std::uint64_t bytes);

  /// Deletes the segments before the last one that a reader at `below` can start in, none of them
  /// numbered `first_claimed` or more; durable on return. True when there were some.
  bool release_below(Lsn below, std::uint64_t first_claimed);

  /// Whether release_below would delete something now.
  bool would_release_below(Lsn below, std::uint64_t first_claimed);

  std::uint64_t bytes() const { return bytes_; }

  /// Where the first one begins; unknown when there is none.
  Lsn begin();

  /// Since when the first one is known; zero when there is none.
  SteadyTime oldest_since() const;

  /// From byte `offset` of a segment on, and in those after it.
  std::uint64_t bytes_behind(std::uint64_t number, std::uint64_t offset) const;

  /// There is a segment behind the first.
  bool several() const { return count_ > 1; }

 private:
  std::deque<KeptSegment>::iterator first_kept(Lsn below, std::uint64_t first_claimed);
  std::vector<KeptSegment> take_below(Lsn below, std::uint64_t first_claimed);

  FileSystem& files_;
  const std::string directory_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
  /// Held during deletions, which may be slow; taken before mutex_, which adding needs too.
  std::mutex deleting_;
  mutable std::mutex mutex_;
  std::deque<KeptSegment> segments_;
};

}  // namespace re_dms
