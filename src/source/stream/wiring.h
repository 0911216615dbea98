// What the receive loop is connected to in the rest of the daemon.
#pragma once

#include <functional>
#include <vector>

#include "base/bounded_queue.h"
#include "model/journal_block.h"
#include "model/progress.h"
#include "source/setup/setup_result.h"

namespace re_dms {

/// What streaming needs from the rest of the daemon.
struct StreamWiring {
  BoundedQueue<JournalBlock>& out;  ///< weighed by bytes; blocks in the order of the stream
  Progress& progress;               ///< reads journaled, writes received, server and its time
  std::function<bool()> paused;     ///< true: receive no further transaction (journal full)
  std::function<void()> started;    ///< called when the slot is taken and stands where it should
  /// Called about once a minute with the tables that match include and are not replicated.
  std::function<void(const std::vector<LeftOut>&)> left_out = [](const auto&) {};
};

}  // namespace re_dms
