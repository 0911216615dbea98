// What a first start has made at the source so far, so that it can be taken back: a slot that
// nobody reads keeps WAL until the source's disk is full.
#pragma once

#include <string>

#include "base/error.h"
#include "source/settings.h"

namespace re_dms {

/// Used by one thread, for all tries of one process.
class FirstStart {
 public:
  explicit FirstStart(const SourceSettings& settings) : settings_(settings) {}

  void publication_made() { publication_ = true; }

  /// From here on the slot may be there, whatever becomes of the connection. `walsender` is the
  /// server's process that makes it.
  void slot_begun(int walsender) {
    slot_ = true;
    walsender_ = walsender;
  }

  /// The server refused to make it, or what was there is dropped.
  void slot_refused() { slot_ = false; }

  /// Drops the slot, and the publication unless `reason` is Transient: the next try goes on with
  /// it. Returns what stays behind, why, and the statement that drops it; empty: nothing. Never
  /// throws, and does nothing where nothing was made.
  std::string take_back(ErrorKind reason);

 private:
  void drop_slot_of_ours();
  void drop_publication();

  const SourceSettings& settings_;
  bool publication_ = false;
  bool slot_ = false;
  int walsender_ = 0;
};

}  // namespace re_dms
