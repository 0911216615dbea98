// The journal's thread: takes what the source received, makes it durable in groups, and says so.
#pragma once

#include <stop_token>

#include "base/bounded_queue.h"
#include "journal/journal_writer.h"
#include "model/journal_block.h"
#include "pipeline/run_state.h"

namespace re_dms {

/// One fsync covers everything that arrived while the last one ran. Inside a transaction there is
/// one for every few MiB, and when nothing follows for a moment.
class Recorder {
 public:
  Recorder(JournalWriter& journal, BoundedQueue<JournalBlock>& blocks, RunState& state);

  /// Until stop is requested, or the queue is finished. On return every position that was taken
  /// from the queue is durable; the beginning of a transaction need not be: it comes again.
  void run(const std::stop_token& stop);

 private:
  void sync();
  void record_group(JournalBlock block, const std::stop_token& stop);

  JournalWriter& journal_;
  BoundedQueue<JournalBlock>& blocks_;
  RunState& state_;
  std::size_t unsynced_bytes_ = 0;
  bool position_waits_ = false;
};

}  // namespace re_dms
