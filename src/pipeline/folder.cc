#include "pipeline/folder.h"

#include <algorithm>

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kPatience(200);
constexpr std::chrono::milliseconds kPatienceAtEnd(10);
constexpr std::chrono::milliseconds kIntervalAtEnd(1000);

}  // namespace

void Folder::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    leave_out_failed(stop);
    if (const auto unit = wiring_.reader.next(patience(), stop)) {
      wiring_.batcher.consume(*unit);
    }
    show();
    if (wiring_.batcher.in_transaction()) {
      continue;
    }
    // Before, it stands at units that it passes over, whatever its position is.
    if (wiring_.batcher.has_begun()) {
      wiring_.join.reached({wiring_.reader.place(), wiring_.batcher.position()});
    }
    if (wiring_.join.wanted() && wiring_.slots.has_free_slot()) {
      meet(stop);
    } else if (seal_is_due()) {
      seal();
    }
    if (is_at_end()) {
      wiring_.slots.close();
      return;
    }
  }
}

void Folder::leave_out_failed(const std::stop_token& stop) {
  while (auto failed = wiring_.failed_tables.try_pop(stop)) {
    wiring_.batcher.set_aside(*failed);
  }
}

/// What the status page says of the batch being filled.
void Folder::show() {
  const std::uint64_t changes = wiring_.batcher.changes();
  wiring_.state.fold_bytes = wiring_.batcher.memory_bytes();
  wiring_.state.fold_rows = changes;
  if (changes == 0) {
    wiring_.state.fold_since = SteadyTime{};
  } else if (wiring_.state.fold_since.load() == SteadyTime{}) {
    wiring_.state.fold_since = clock_.steady();
  }
}

void Folder::seal() {
  wiring_.batcher.seal();
  show();
  last_seal_ = clock_.steady();
}

/// Tables that have caught up join here.
void Folder::meet(const std::stop_token& stop) {
  seal();
  // Facts that no transaction has followed yet cannot be sealed.
  if (wiring_.batcher.has_work()) {
    return;
  }
  std::vector<RosterEntry> tables = wiring_.join.meet(stop);
  if (tables.empty()) {
    return;
  }
  std::vector<Oid> oids;
  for (const RosterEntry& table : tables) {
    oids.push_back(table.oid);
  }
  // What was said of them so far was said of an earlier attempt.
  leave_out_failed(stop);
  wiring_.batcher.join(std::move(tables));
  for (const Oid oid : oids) {
    // Its load failed meanwhile.
    if (wiring_.state.tables.state(oid) != TableState::CatchingUp &&
        wiring_.state.tables.state(oid) != TableState::Live) {
      wiring_.batcher.set_aside(oid);
    }
  }
}

/// All that was there when the end was reached is loaded before it is asked whether tables are on
/// their way: a batch may say so of some.
bool Folder::is_at_end() {
  const Lsn until = wiring_.until;
  if (!until.known() || wiring_.batcher.position() < until) {
    return false;
  }
  if (!end_) {
    seal();
    if (wiring_.batcher.has_work()) {
      return false;
    }
    end_ = wiring_.batcher.position();
  }
  return wiring_.state.progress.loaded.lsn() >= *end_ &&
         (wiring_.draining || wiring_.state.tables.settled());
}

bool Folder::seal_is_due() const {
  if (!wiring_.slots.has_free_slot()) {
    return false;
  }
  const auto since = clock_.steady() - last_seal_;
  if (wiring_.batcher.has_work()) {
    return since >= interval();
  }
  const bool frees = wiring_.journal.bytes() > 2 * schedule_.segment_bytes;
  return since >= (frees ? std::max(interval(), schedule_.empty_interval_freeing)
                         : schedule_.empty_interval);
}

/// Behind the end, somebody waits for the tables that are on their way.
std::chrono::milliseconds Folder::interval() const {
  const std::chrono::milliseconds now = wiring_.state.batch_interval;
  const auto wanted = now == std::chrono::milliseconds(0) ? schedule_.interval : now;
  return end_ ? std::min(wanted, kIntervalAtEnd) : wanted;
}

std::chrono::milliseconds Folder::patience() const {
  if (end_) {
    return kPatienceAtEnd;
  }
  if (!wiring_.batcher.has_work() || wiring_.batcher.in_transaction()) {
    return kPatience;
  }
  if (!wiring_.slots.has_free_slot()) {
    return std::chrono::milliseconds(20);
  }
  const auto left = interval() - std::chrono::duration_cast<std::chrono::milliseconds>(
                                     clock_.steady() - last_seal_);
  return std::clamp(left, std::chrono::milliseconds(1), kPatience);
}

}  // namespace re_dms
