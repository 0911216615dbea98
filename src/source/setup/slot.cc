#include "source/setup/slot.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/failpoint.h"
#include "observe/advice.h"
#include "source/connection/sql_text.h"

namespace re_dms {

std::optional<SlotState> find_slot(Connection& connection, const std::string& name) {
  const QueryResult found = connection.query(
      fmt::format(
          "SELECT plugin, database, temporary, coalesce(active_pid, 0), "
          "coalesce(wal_status, '') = 'lost', confirmed_flush_lsn, "
          "coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN "
          "pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::bigint, "
          "coalesce(to_jsonb(s) ->> 'invalidation_reason', '') "
          "FROM pg_replication_slots s WHERE slot_name = {}",
          quote_literal(name)),
      "looking for the slot");
  if (found.rows() == 0) {
    return std::nullopt;
  }
  SlotState slot;
  slot.plugin = found.text(0, 0);
  slot.database = found.text(0, 1);
  slot.temporary = found.flag(0, 2);
  slot.active_pid = static_cast<int>(found.number(0, 3));
  slot.lost = found.flag(0, 4);
  slot.confirmed_flush = found.lsn(0, 5);
  slot.held_bytes = found.number(0, 6);
  slot.lost_by = found.text(0, 7);
  return slot;
}

void require_slot_name(const std::string& name) {
  const bool valid =
      !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (!valid) {
    throw Error(ErrorKind::Usage, fmt::format("source.slot '{}' is not a valid slot name", name),
                "PostgreSQL accepts at most 63 lower-case letters, digits and underscores");
  }
}

std::string slot_problem(const SlotState& slot, const std::string& database) {
  if (slot.plugin != "pgoutput") {
    return slot.plugin.empty() ? "it is a physical slot"
                               : fmt::format("its output plugin is {}, not pgoutput", slot.plugin);
  }
  if (slot.database != database) {
    return fmt::format("it belongs to database \"{}\", not to \"{}\"", slot.database, database);
  }
  if (slot.lost) {
    return fmt::format("the server invalidated it ({})",
                       slot.lost_by == "idle_timeout" ? "idle_replication_slot_timeout"
                       : slot.lost_by.empty() || slot.lost_by == "wal_removed"
                           ? "max_slot_wal_keep_size"
                           : slot.lost_by);
  }
  return slot.temporary ? "it is temporary" : "";
}

Error foreign_slot(const SlotState& slot, const std::string& name, const std::string& database) {
  std::string message =
      fmt::format("slot \"{}\" exists already, and this daemon has no journal for it", name);
  if (const std::string problem = slot_problem(slot, database); !problem.empty()) {
    message += "; " + problem;
  }
  if (slot.active_pid != 0) {
    message += fmt::format("; process {} reads it", slot.active_pid);
  }
  return {ErrorKind::Fatal, message,
          fmt::format("If nobody needs it: SELECT pg_drop_replication_slot({}). If it is in use, "
                      "choose another source.slot. If the journal directory was moved, name it in "
                      "journal.directory",
                      quote_literal(name))};
}

std::string unusable_slot_advice(const std::optional<SlotState>& slot) {
  if (!slot || slot->lost) {
    return begin_anew("The changes since its last position cannot be recovered. ");
  }
  return "The slot that re_dms created is gone, and somebody else created one of this name, which "
         "re_dms must not drop. Name another one in source.slot, with an empty journal directory "
         "and a fresh target";
}

void drop_slot(Connection& connection, const std::string& name) {
  failpoint("slot-drop-before");
  connection.query(fmt::format("SELECT pg_drop_replication_slot({})", quote_literal(name)),
                   fmt::format("dropping slot \"{}\"", name));
  failpoint("slot-drop-after");
}

std::string describe_writers(Connection& connection) {
  // pg_locks shows every role who holds an xid; pg_stat_activity hides backend_xid of others.
  const QueryResult writers = connection.query(
      "SELECT DISTINCT format('process %s (user %s, application \"%s\", open since %s UTC)', pid, "
      "coalesce(usename, '?'), coalesce(application_name, '?'), coalesce(to_char(xact_start, "
      "'HH24:MI:SS'), '?')), xact_start FROM pg_locks LEFT JOIN pg_stat_activity a USING (pid) "
      "WHERE locktype = 'transactionid' AND granted AND mode = 'ExclusiveLock' "
      "AND pid <> pg_backend_pid() "
      "UNION ALL SELECT format('prepared transaction ''%s'' (since %s UTC)', gid, "
      "to_char(prepared, 'HH24:MI:SS')), prepared FROM pg_prepared_xacts "
      "ORDER BY 2 LIMIT 5",
      "asking who writes");
  std::vector<std::string> names;
  for (int row = 0; row < writers.rows(); ++row) {
    names.emplace_back(writers.text(row, 0));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace re_dms
