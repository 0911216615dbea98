// What people ask of tables, until whoever writes to the target has done it.
#include <algorithm>
#include <utility>

#include "tables/table_states.h"

namespace re_dms {

void TableStates::wish(Oid oid, Wish wish) {
  const std::lock_guard lock(mutex_);
  std::erase(wishes_, std::pair(oid, wish));
  wishes_.emplace_back(oid, wish);
}

std::vector<std::pair<Oid, Wish>> TableStates::take_wishes() {
  return take_wishes_of({Wish::Copy, Wish::Heal, Wish::Pause, Wish::Resume});
}

std::vector<std::pair<Oid, Wish>> TableStates::take_wishes_to_leave() {
  return take_wishes_of({Wish::Copy, Wish::Pause});
}

std::vector<std::pair<Oid, Wish>> TableStates::take_wishes_of(const std::set<Wish>& kinds) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Oid, Wish>> taken;
  std::set<Oid> asked;
  const std::size_t gone = std::erase_if(wishes_, [&](const auto& wished) {
    if (!asked.insert(wished.first).second || !kinds.contains(wished.second)) {
      return false;
    }
    const auto found = tables_.find(wished.first);
    const bool waits = found != tables_.end() && found->second.state == TableState::SetAside;
    if (!waits || wished.second != Wish::Pause) {
      taken.push_back(wished);
    }
    return true;
  });
  // Asked twice a second: who waits for news of tables is left alone where there are none.
  if (std::exchange(granting_, !taken.empty()) || gone > 0) {
    changed_.notify_all();
  }
  return taken;
}

void TableStates::wishes_granted() {
  const std::lock_guard lock(mutex_);
  granting_ = false;
  changed_.notify_all();
}

bool TableStates::wait_for_wishes(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return wishes_.empty() && !granting_; });
}

}  // namespace re_dms
