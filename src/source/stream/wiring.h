// What the receive loop is connected to in the rest of the daemon.
#pragma once

#include <functional>

#include "base/bounded_queue.h"
#include "model/journal_block.h"
#include "model/progress.h"

namespace re_dms {

/// What streaming needs from the rest of the daemon.
struct StreamWiring {
  BoundedQueue<JournalBlock>& out;  ///< weighed by bytes; blocks in the order of the stream
  Progress& progress;               ///< reads journaled, writes received, server and its time
  std::function<bool()> paused;     ///< true: receive no further transaction (journal full)
  std::function<void()> started;    ///< called when the slot is taken and stands where it should
};

}  // namespace re_dms
