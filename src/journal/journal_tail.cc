#include "journal/journal_tail.h"

#include <limits>

#include "base/error.h"

namespace re_dms {

JournalTail::Claim::Claim(const JournalTail* tail) : tail_(tail) {
  if (tail_ != nullptr) {
    const std::lock_guard lock(tail_->mutex_);
    tail_->claims_.insert(segment_);
  }
}

JournalTail::Claim::~Claim() {
  if (tail_ != nullptr) {
    const std::lock_guard lock(tail_->mutex_);
    tail_->claims_.erase(tail_->claims_.find(segment_));
  }
}

void JournalTail::Claim::move_to(std::uint64_t segment) {
  if (tail_ != nullptr) {
    const std::lock_guard lock(tail_->mutex_);
    tail_->claims_.erase(tail_->claims_.find(segment_));
    tail_->claims_.insert(segment);
  }
  segment_ = segment;
}

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

std::uint64_t JournalTail::first_claimed() const {
  const std::lock_guard lock(mutex_);
  return claims_.empty() ? std::numeric_limits<std::uint64_t>::max() : *claims_.begin();
}

}  // namespace re_dms
