#include "journal/journal_tail.h"

#include "base/error.h"

namespace re_dms {

void JournalTail::publish(JournalPlace place) {
  const std::lock_guard lock(mutex_);
  RE_DMS_CHECK(place >= place_);
  place_ = place;
  moved_.notify_all();
}

JournalPlace JournalTail::place() const {
  const std::lock_guard lock(mutex_);
  return place_;
}

JournalPlace JournalTail::wait_beyond(JournalPlace place, std::chrono::milliseconds patience,
                                      const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  moved_.wait_for(lock, stop, patience, [&] { return place_ > place; });
  return place_;
}

}  // namespace re_dms
