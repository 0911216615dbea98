#include "source/copy/lock_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/retry.h"
#include "observe/log.h"
#include "source/connection/identity.h"
#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kLookEvery(500);

}  // namespace

LockWatch::LockWatch(const SourceSettings& settings, const Origin& origin,
                     const std::vector<int>& processes)
    : connection_(settings, ConnectionPurpose::Sql) {
  require_same_cluster(origin, connection_);
  const QueryResult sessions = connection_.query(
      fmt::format("SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = ANY "
                  "('{{{}}}'::int[])",
                  fmt::join(processes, ",")),
      "looking for the sessions that copy");
  for (int row = 0; row < sessions.rows(); ++row) {
    began_[static_cast<int>(sessions.number(row, 0))] = sessions.text(row, 1);
  }
}

void LockWatch::run(std::chrono::milliseconds patience, const std::function<void()>& stuck,
                    const std::stop_token& stop) {
  connection_.stop_with(stop);
  while (wait_for(kLookEvery, stop)) {
    look(patience, stuck);
  }
}

void LockWatch::look(std::chrono::milliseconds patience, const std::function<void()>& stuck) {
  std::vector<int> processes;
  for (const auto& [process, began] : began_) {
    processes.push_back(process);
  }
  const QueryResult blocking = connection_.query(
      fmt::format("SELECT DISTINCT held.pid, held.relation::regclass::text FROM pg_locks waiting "
                  "JOIN pg_locks held ON held.granted AND held.locktype = 'relation' AND "
                  "held.database = waiting.database AND held.relation = waiting.relation AND "
                  "held.pid = ANY ('{{{}}}'::int[]) WHERE NOT waiting.granted AND "
                  "waiting.locktype = 'relation' AND waiting.mode = 'AccessExclusiveLock' AND "
                  "waiting.waitstart < clock_timestamp() - interval '{} milliseconds'",
                  fmt::join(processes, ","), patience.count()),
      "looking for those who wait behind a copy");
  std::map<int, int> asked;
  for (int row = 0; row < blocking.rows(); ++row) {
    const int process = static_cast<int>(blocking.number(row, 0));
    asked[process] = asked_[process] + 1;
    log(LogLevel::Info, "copy_gives_way", "a copy ends because somebody waits behind it",
        {{"table", std::string(blocking.text(row, 1))}, {"process", process}});
    connection_.query(
        fmt::format("SELECT pg_{}_backend(pid) FROM pg_stat_activity WHERE pid = {} AND "
                    "backend_start = {}",
                    asked[process] == 1 ? "cancel" : "terminate", process,
                    quote_literal(began_.at(process))),
        "giving way");
    if (asked[process] > 1) {
      stuck();
    }
  }
  asked_ = std::move(asked);
}

}  // namespace re_dms
