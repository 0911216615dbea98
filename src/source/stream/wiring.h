// What the receive loop is connected to in the rest of the daemon.
#pragma once

#include <functional>
#include <optional>
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
  /// Asked now and then; anything: the catalog is to be asked about all tables soon, not in a
  /// minute, and what it says of these tables is news, whatever was told of them before.
  std::function<std::optional<std::vector<Oid>>()> look_soon = [] { return std::nullopt; };
  /// The tables whose rows the target is to have. What became of one while nobody read the stream
  /// is told by the catalog alone, and only to whoever asks for it.
  std::function<std::vector<Oid>()> followed = [] { return std::vector<Oid>(); };
  /// Called about once a minute with the tables that match include and are not replicated.
  std::function<void(const std::vector<LeftOut>&)> left_out = [](const auto&) {};
};

}  // namespace re_dms
