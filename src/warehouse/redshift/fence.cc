#include "warehouse/redshift/fence.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "observe/log.h"
#include "warehouse/redshift/service_schema.h"

namespace re_dms::redshift {

namespace {

// A load holds it for minutes, but then it is another daemon's.
constexpr std::chrono::seconds kPatience{10};

/// The transactions of this user that hold fences of this name (LIKE): the server's process, and
/// since when. Nothing where the cluster does not tell.
std::vector<Row> holders(Session& session, const Sql& fences) {
  try {
    // Redshift database developer guide, SVV_TRANSACTIONS: others' are for superusers.
    return session.query(
        sql("SELECT DISTINCT t.pid, t.txn_start FROM svv_transactions t JOIN pg_class c ON c.oid = "
            "t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
            "'re_dms_internal' AND c.relname LIKE {} AND t.granted AND t.pid <> pg_backend_pid() "
            "ORDER BY 2",
            fences),
        Blame::Table);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return {};
  }
}

Error held(const std::vector<Row>& rows) {
  if (rows.empty()) {
    return {
        ErrorKind::Transient,
        fmt::format("somebody has held the fence of re_dms_internal for {} s", kPatience.count()),
        "svv_transactions shows a superuser who it is; pg_terminate_backend(PID) ends it"};
  }
  const std::string pid = rows[0].at(0).value_or("");
  return {ErrorKind::Transient,
          fmt::format("session {} of the warehouse, in a transaction since {}, holds the fence of "
                      "re_dms_internal: another re_dms is loading, or one that is gone was",
                      pid, rows[0].at(1).value_or("")),
          fmt::format("If no other re_dms is at work, end it there: SELECT "
                      "pg_terminate_backend({})",
                      pid)};
}

/// False where the cluster does not let this user end it.
bool end(Session& session, int pid) {
  try {
    session.query(sql("SELECT pg_terminate_backend({})", pid), Blame::Table);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return false;
  }
}

/// Of those the sessions that this process lost, and has not ended before.
bool end_lost(Session& session, const std::vector<Row>& rows, std::set<int>& ended) {
  bool any = false;
  for (const Row& row : rows) {
    const int pid = std::stoi(row.at(0).value_or("0"));
    if (Session::was_lost(pid) && ended.insert(pid).second) {
      log(LogLevel::Warn, "session_ended",
          "a session of the warehouse that this process lost holds the fence",
          {{"pid", std::to_string(pid)}});
      any = end(session, pid) || any;
    }
  }
  return any;
}

void begin_behind(Session& session, const Sql& lock, const Sql& fences) {
  std::set<int> ended;
  while (true) {
    session.execute(sql("BEGIN"));
    if (session.execute_within(lock, kPatience)) {
      return;
    }
    session.execute(sql("ROLLBACK"));
    const std::vector<Row> rows = holders(session, fences);
    if (!end_lost(session, rows, ended)) {
      throw held(rows);
    }
  }
}

}  // namespace

void begin_behind_fences(Session& session) {
  begin_behind(session, lock_fences(), literal("fence%"));
}

void begin_behind_fence(Session& session, int lane) {
  begin_behind(session, lock_fence_of(lane), literal(lane_fence(lane).text()));
}

}  // namespace re_dms::redshift
