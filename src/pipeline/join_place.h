// Where tables that have caught up join the others: two readers of one journal, the main one and
// theirs, agree on a place between two units.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "batch/table_roster.h"
#include "journal/journal_tail.h"
#include "model/lsn.h"

namespace re_dms {

/// Where the main reader is.
struct MainReader {
  JournalPlace place;  ///< behind the last unit it has folded
  Lsn position;
};

/// The main reader says where it is; the other one asks to meet; the main one ends its batch and
/// waits at its place; the other one comes there and brings what is known of its tables. The main
/// one waits for no longer than the other takes for what lies between them.
class JoinPlace {
 public:
  // By the main reader.

  void reached(const MainReader& at) {
    const std::lock_guard lock(mutex_);
    main_ = at;
    moved_.notify_all();
  }

  bool wanted() const { return wanted_; }

  /// Right after a seal, at the place told last. Waits for the other reader; nothing when it brings
  /// no tables this time, or stopped.
  std::vector<RosterEntry> meet(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wanted_ = false;
    brought_.reset();
    meeting_ = main_.place;
    moved_.notify_all();
    moved_.wait(lock, stop, [this] { return brought_.has_value(); });
    return std::exchange(brought_, std::nullopt).value_or(std::vector<RosterEntry>());
  }

  // By the other reader.

  MainReader main() const {
    const std::lock_guard lock(mutex_);
    return main_;
  }

  void ask() { wanted_ = true; }

  /// Where the main reader waits; nothing while it does not.
  std::optional<JournalPlace> meeting() const {
    const std::lock_guard lock(mutex_);
    return meeting_;
  }

  void bring(std::vector<RosterEntry> tables) {
    const std::lock_guard lock(mutex_);
    meeting_.reset();
    brought_ = std::move(tables);
    moved_.notify_all();
  }

  /// Waits until the main reader has moved beyond `place` or waits to be met, `patience` at most.
  void wait_beyond(JournalPlace place, std::chrono::milliseconds patience,
                   const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    moved_.wait_for(lock, stop, patience, [&] { return main_.place > place || meeting_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  MainReader main_;
  std::atomic<bool> wanted_{false};
  std::optional<JournalPlace> meeting_;
  std::optional<std::vector<RosterEntry>> brought_;
};

}  // namespace re_dms
