#include "source/setup/slot_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

/// At one look each half a minute, a month.
constexpr std::size_t kSeenMax = 90'000;

SlotHealth::WalStatus wal_status(std::string_view text) {
  if (text == "reserved") {
    return SlotHealth::WalStatus::Reserved;
  }
  if (text == "extended") {
    return SlotHealth::WalStatus::Extended;
  }
  return text == "unreserved" ? SlotHealth::WalStatus::Unreserved : SlotHealth::WalStatus::Lost;
}

}  // namespace

SlotHealth look_at_slot(Connection& connection, const std::string& name) {
  const std::string slot = quote_literal(name);
  const QueryResult found = connection.query(
      fmt::format(
          "SELECT s.active, s.wal_status, s.safe_wal_size, "
          "coalesce(pg_wal_lsn_diff(server.end, s.restart_lsn), 0)::bigint, "
          "coalesce((SELECT spill_bytes FROM pg_stat_replication_slots WHERE slot_name = {0}), 0), "
          "s.confirmed_flush_lsn, server.end "
          "FROM (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() "
          "ELSE pg_current_wal_lsn() END AS end) server "
          "LEFT JOIN pg_replication_slots s ON s.slot_name = {0}",
          slot),
      "asking about the slot");
  SlotHealth health;
  if (found.rows() == 0) {
    return health;
  }
  health.active = found.flag(0, 0);
  health.wal_status = wal_status(found.text(0, 1));
  if (!found.is_null(0, 2)) {
    health.safe_wal_bytes = found.number(0, 2);
  }
  health.held_bytes = found.number(0, 3);
  health.spilled_bytes = found.number(0, 4);
  health.confirmed = found.lsn(0, 5);
  health.server_end = found.lsn(0, 6);
  return health;
}

std::chrono::duration<double> SlotAge::seen(Lsn server_end, Lsn confirmed, SystemTime now) {
  if (seen_.empty() || server_end > seen_.back().server_end) {
    seen_.push_back({server_end, now});
  }
  while (!seen_.empty() && seen_.front().server_end <= confirmed) {
    seen_.pop_front();
  }
  if (seen_.size() > kSeenMax) {
    seen_.erase(seen_.begin() + 1);  // the oldest is the one that counts
  }
  return seen_.empty() ? std::chrono::duration<double>(0)
                       : std::max<std::chrono::duration<double>>(now - seen_.front().at,
                                                                 std::chrono::seconds(0));
}

}  // namespace re_dms
