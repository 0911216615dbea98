#include "warehouse/redshift/fence.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "observe/log.h"
#include "warehouse/redshift/service_schema.h"

namespace re_dms::redshift {

namespace {

// A load holds it for minutes, but then it is another daemon's.
constexpr std::chrono::seconds kPatience{10};

/// The transactions of this user that hold a fence: the server's process, and since when.
std::vector<Row> holders(Session& session) {
  // Redshift database developer guide, SVV_TRANSACTIONS: others' are for superusers.
  return session.query(
      sql("SELECT DISTINCT t.pid, t.txn_start FROM svv_transactions t JOIN pg_class c ON c.oid = "
          "t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = "
          "'re_dms_internal' AND c.relname LIKE 'fence%' AND t.granted AND t.pid <> "
          "pg_backend_pid() ORDER BY 2"));
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

void begin_behind(Session& session, const Sql& lock) {
  while (true) {
    session.execute(sql("BEGIN"));
    if (session.execute_within(lock, kPatience)) {
      return;
    }
    session.execute(sql("ROLLBACK"));
    const std::vector<Row> rows = holders(session);
    bool ended = false;
    for (const Row& row : rows) {
      const int pid = std::stoi(row.at(0).value_or("0"));
      if (session.opened_by_this_process(pid)) {
        session.query(sql("SELECT pg_terminate_backend({})", pid));
        log(LogLevel::Warn, "session_ended",
            "a session of the warehouse that this process lost held the fence",
            {{"pid", std::to_string(pid)}});
        ended = true;
      }
    }
    if (!ended) {
      throw held(rows);
    }
  }
}

}  // namespace

void begin_behind_fences(Session& session) {
  begin_behind(session, lock_fences());
}

void begin_behind_fence(Session& session, int lane) {
  begin_behind(session, lock_fence_of(lane));
}

}  // namespace re_dms::redshift
