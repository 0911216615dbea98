#include "warehouse/redshift/load_tries.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/retry.h"

namespace re_dms::redshift {

namespace {

/// Of the longest between two tries: five minutes, and an hour.
constexpr int kPausesForOne = 10;
constexpr int kPausesForAll = 120;
/// What people ask of tables waits for the end of the try.
constexpr std::chrono::seconds kGoesOnFor{30};

}  // namespace

LoadTries::LoadTries()
    : suspects_({kPausesForOne * retry_policy().longest, kPausesForAll * retry_policy().longest}) {}

void LoadTries::begin(const StagedBatch& batch, SteadyTime now) {
  if (batch_ != std::pair(batch.kind, batch.span)) {
    *this = {};
    batch_ = {batch.kind, batch.span};
  }
  began_ = now;
  left_out_.clear();
  left_out_before_ = 0;
  failure_ = nullptr;
  wrote_ = false;
}

void LoadTries::leave_found(const BatchLoad& load, SteadyTime now) {
  if (has_left_out()) {
    return;
  }
  const bool others_pass = load.any_taken();
  const bool soon = others_pass || is_of_copies();
  for (const Failing& table : suspects_.found(load.missing_changes(), soon, now)) {
    tries_.failed[table.table] = {
        table.table,
        table.name,
        fmt::format("loads of this table alone fail again and again, while {}: {}",
                    others_pass ? "others pass" : "the cluster takes other writes", table.reason),
        {},
        Remedy::Copy};
  }
}

void LoadTries::note_failed(const Failing& failed, SteadyTime now) {
  if (!failed.at_commit()) {
    suspects_.failed(failed, now);
    leave_out(failed);
  } else if (!failed_commit_ || failed_commit_->tables < failed.tables) {
    failed_commit_ = failed;
  }
}

StatementFailed LoadTries::note_failed_alone(const Failing& failed, const BatchLoad& load,
                                             const StatementFailed& error, SteadyTime now) {
  suspects_.failed_alone(failed, now);
  leave_out(failed);
  const std::size_t missing = load.missing_changes().size();
  const std::string waits =
      load.any_taken() || is_of_copies() || missing == 1
          ? fmt::format(
                "{} failed again and again, and is loaded alone behind the others of its "
                "batch. If that fails for five minutes, it is copied anew",
                to_string(failed.name))
          : fmt::format(
                "{} tables have yet to take this batch, and each fails alone: the cluster "
                "may be at fault, so they are waited for until one passes. If the cluster "
                "refuses them for an hour, and takes other writes, they are copied anew. "
                "{} failed last",
                missing, to_string(failed.name));
  return {fmt::format("{}: {}", waits, error.message()), error.advice(), error.statement(),
          error.answered()};
}

/// Not for a connection that ended, which is how a network fails.
void LoadTries::leave_out(const Failing& failed) {
  if (failed.answered) {
    left_out_.insert(failed.table);
  }
}

bool LoadTries::goes_on(SteadyTime now) {
  const bool more = left_out_.size() > left_out_before_;
  left_out_before_ = left_out_.size();
  failure_ = std::current_exception();
  return std::exchange(failed_before_, true) && more && now - began_ < kGoesOnFor;
}

bool LoadTries::is_to_write() {
  return has_left_out() && !std::exchange(wrote_, true);
}

std::vector<Oid> LoadTries::without_failing(std::vector<Oid> tables) const {
  const std::vector<Oid> suspects = suspects_.among(tables);
  std::erase_if(tables, [&](Oid oid) {
    return left_out_.contains(oid) || std::ranges::find(suspects, oid) != suspects.end();
  });
  return tables;
}

std::vector<Oid> LoadTries::to_be_tried_alone(const std::vector<Oid>& tables) const {
  std::vector<Oid> suspects = suspects_.among(tables);
  std::erase_if(suspects, [this](Oid oid) { return left_out_.contains(oid); });
  return suspects;
}

void LoadTries::require_none_left_out() const {
  if (has_left_out()) {
    std::rethrow_exception(failure_);
  }
}

}  // namespace re_dms::redshift
