#include "pipeline/statement_times.h"

#include <chrono>
#include <string>

namespace re_dms {

std::string_view statement_kind(std::string_view statement) {
  constexpr std::size_t kLooked = 4096;  // some hold thousands of values behind their beginning
  const auto begins = [statement](std::string_view word) { return statement.starts_with(word); };
  if (begins("COPY") || statement.substr(0, kLooked).find("read_csv(") != std::string_view::npos) {
    return "copy";
  }
  if (begins("COMMIT")) {
    return "commit";
  }
  if (begins("LOCK")) {
    return "lock";
  }
  const bool merges = begins("INSERT") || begins("UPDATE") || begins("DELETE") || begins("MERGE") ||
                      begins("TRUNCATE");
  return merges ? "merge" : "other";
}

void StatementTimes::began(std::string_view statement) {
  const SteadyTime now = real_clock().steady();
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(std::this_thread::get_id());
  if (found != running_.end()) {
    count(found->second, now);
    found->second = {statement_kind(statement), now};
  }
}

void StatementTimes::begin_load() {
  const std::lock_guard lock(mutex_);
  running_[std::this_thread::get_id()] = {};
}

void StatementTimes::end_load() {
  const SteadyTime now = real_clock().steady();
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(std::this_thread::get_id());
  if (found != running_.end()) {
    count(found->second, now);
    running_.erase(found);
  }
}

void StatementTimes::count(const Running& statement, SteadyTime now) {
  if (!statement.kind.empty()) {
    metrics_.histogram("re_dms_statement_seconds", statement.kind)
        .Observe(std::chrono::duration<double>(now - statement.since).count());
  }
}

}  // namespace re_dms
