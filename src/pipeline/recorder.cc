#include "pipeline/recorder.h"

#include <chrono>
#include <utility>

namespace re_dms {

namespace {

// Inside a large transaction nobody waits for an acknowledgement; readers follow in steps of this.
constexpr std::size_t kUnsyncedMax = 4U << 20;
// A group is written at most this large before its fsync, so that its first commit does not wait
// long.
constexpr std::size_t kGroupMax = 16U << 20;
constexpr std::chrono::milliseconds kQuiet(500);

}  // namespace

Recorder::Recorder(JournalWriter& journal, BoundedQueue<JournalBlock>& blocks, RunState& state)
    : journal_(journal), blocks_(blocks), state_(state) {}

void Recorder::run(const std::stop_token& stop) {
  while (!stop.stop_requested() && !blocks_.finished()) {
    if (auto block = blocks_.pop_for(stop, kQuiet)) {
      record_group(std::move(*block), stop);
    } else if (unsynced_bytes_ > 0) {
      // Such as an abort record: a paused source sends nothing after it, and the journal gets no
      // room until readers have seen it.
      sync();
    }
  }
  if (unsynced_bytes_ > 0) {
    sync();
  }
}

void Recorder::sync() {
  journal_.sync();
  state_.journal_syncs.Increment();
  state_.progress.journaled.advance(journal_.position());
  state_.journal_bytes = journal_.bytes();
  unsynced_bytes_ = 0;
  position_waits_ = false;
}

void Recorder::record_group(JournalBlock block, const std::stop_token& stop) {
  std::size_t group = 0;
  while (true) {
    group += block.bytes.size();
    unsynced_bytes_ += block.bytes.size();
    position_waits_ = position_waits_ || block.position.known();
    state_.messages_journaled.Increment(static_cast<double>(block.messages));
    state_.rows_received.Increment(static_cast<double>(block.rows));
    state_.received_bytes.Increment(static_cast<double>(block.bytes.size()));
    journal_.append(block);
    if (group >= kGroupMax) {
      break;
    }
    auto more = blocks_.try_pop(stop);
    if (!more) {
      break;
    }
    block = std::move(*more);
  }
  if (position_waits_ || unsynced_bytes_ >= kUnsyncedMax) {
    sync();
  }
}

}  // namespace re_dms
