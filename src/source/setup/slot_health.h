// What the server says of the slot's health: how much WAL it holds, and how near it is to being
// lost.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"
#include "model/lsn.h"
#include "source/connection/connection.h"

namespace re_dms {

struct SlotHealth {
  /// PostgreSQL 15, pg_replication_slots.wal_status; a slot that is gone counts as lost.
  enum class WalStatus { Reserved = 0, Extended = 1, Unreserved = 2, Lost = 3 };

  bool active = false;
  WalStatus wal_status = WalStatus::Lost;
  std::optional<std::int64_t> safe_wal_bytes;  ///< empty: max_slot_wal_keep_size sets no bound
  std::int64_t held_bytes = 0;                 ///< WAL the server keeps for it
  std::int64_t spilled_bytes = 0;              ///< written to its disk while decoding
  Lsn confirmed;
  Lsn server_end;
};

SlotHealth look_at_slot(Connection& connection, const std::string& name);

/// How long the oldest WAL that is not confirmed has been there, by what was seen before: true on a
/// silent database too, as it needs no commit.
class SlotAge {
 public:
  /// To be told in the order of `now`; gives the age then.
  std::chrono::duration<double> seen(Lsn server_end, Lsn confirmed, SystemTime now);

 private:
  struct Seen {
    Lsn server_end;
    SystemTime at;
  };

  std::deque<Seen> seen_;  ///< ends that were not confirmed yet, each beyond the one before
};

}  // namespace re_dms
