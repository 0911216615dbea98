#include "pipeline/folder.h"

#include <algorithm>

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kPatience(200);

}  // namespace

void Folder::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    while (auto failed = wiring_.failed_tables.try_pop(stop)) {
      wiring_.batcher.set_aside(*failed);
    }
    if (const auto unit = wiring_.reader.next(patience(), stop)) {
      wiring_.batcher.consume(*unit);
    }
    wiring_.state.fold_bytes = wiring_.batcher.memory_bytes();
    wiring_.state.fold_rows = wiring_.batcher.changes();
    if (wiring_.batcher.in_transaction()) {
      continue;
    }
    const Lsn until = wiring_.until;
    const bool ends = until.known() && wiring_.batcher.position() >= until;
    if (ends || seal_is_due()) {
      wiring_.batcher.seal();
      wiring_.state.fold_bytes = wiring_.batcher.memory_bytes();
      wiring_.state.fold_rows = wiring_.batcher.changes();
      last_seal_ = clock_.steady();
    }
    if (ends) {
      wiring_.slots.close();
      return;
    }
  }
}

bool Folder::seal_is_due() const {
  if (!wiring_.slots.has_free_slot()) {
    return false;
  }
  const auto since = clock_.steady() - last_seal_;
  if (wiring_.batcher.has_work()) {
    return since >= schedule_.interval;
  }
  const bool frees = wiring_.journal.bytes() > 2 * schedule_.segment_bytes;
  return since >= (frees ? std::max(schedule_.interval, schedule_.empty_interval_freeing)
                         : schedule_.empty_interval);
}

std::chrono::milliseconds Folder::patience() const {
  if (!wiring_.batcher.has_work() || wiring_.batcher.in_transaction()) {
    return kPatience;
  }
  if (!wiring_.slots.has_free_slot()) {
    return std::chrono::milliseconds(20);
  }
  const auto left = schedule_.interval - std::chrono::duration_cast<std::chrono::milliseconds>(
                                             clock_.steady() - last_seal_);
  return std::clamp(left, std::chrono::milliseconds(1), kPatience);
}

}  // namespace re_dms
