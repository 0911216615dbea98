// How far each stage is; written by its stage, read by the others and by the status page.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "model/lsn.h"

namespace re_dms {

/// A position that only moves forward. One thread writes, any may read.
class ProgressMark {
 public:
  Lsn lsn() const { return Lsn{value_.load(std::memory_order_acquire)}; }

  /// Positions below the current one are ignored: old ones arrive again after a reconnect.
  void advance(Lsn lsn) {
    if (lsn.value > value_.load(std::memory_order_relaxed)) {
      value_.store(lsn.value, std::memory_order_release);
    }
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Everything below each position is done: journaled ≥ staged ≥ loaded. Received begins at the end
/// of the journal's last transaction, which idle positions of the journal may exceed, and is ahead
/// of journaled from the first transaction of the run on.
struct Progress {
  ProgressMark received;   ///< read from the socket
  ProgressMark journaled;  ///< durable in the journal: what the slot may be told
  ProgressMark staged;     ///< in sealed staged batches
  ProgressMark loaded;     ///< committed in the target
  ProgressMark server;     ///< the server's end of WAL as last heard
  ProgressMark
      committed;  ///< end of the last transaction that is here: received, or journaled before
  /// Commit time (µs since 1970) of the last transaction loaded; 0: none yet.
  std::atomic<std::int64_t> loaded_commit_time{0};
  /// The first commit of the batch that is being loaded; 0: none is.
  std::atomic<std::int64_t> loading_commit_time{0};
};

}  // namespace re_dms
