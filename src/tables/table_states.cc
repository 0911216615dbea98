#include "tables/table_states.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <utility>

namespace re_dms {

namespace {

/// At the source, before a table that was published is not expected any more: one may have been
/// under way, the next one names the table, and it is met in a batch behind that.
constexpr int kLooksForPublished = 3;
/// A source that does not answer may answer the next time.
constexpr int kLooksInVainMax = 4;

std::chrono::milliseconds pause(const RetryPolicy& policy, int times_before) {
  const double wanted =
      static_cast<double>(policy.first.count()) * std::pow(policy.growth, times_before);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::min(static_cast<double>(policy.longest.count()), wanted)));
}

/// Why a table that is never copied waits for a person.
std::string not_copied(const std::string& reason) {
  return reason +
         ". It is not copied anew, because its initial_copy is \"never\": `re_dms resync` begins "
         "it "
         "again without its rows, where the source stands then; with \"adopt\" or \"auto\" in the "
         "configuration it is copied";
}

}  // namespace

CopyPauses copy_pauses() {
  constexpr RetryPolicy kDoubted{std::chrono::minutes(1), std::chrono::hours(1), 2.0};
  const char* const wanted = std::getenv("RE_DMS_HEAL_MS");
  return {retry_policy(), wanted == nullptr ? kDoubted : parse_retry_policy(wanted)};
}

void TableStates::forbid_copies(std::function<bool(const QualifiedName&)> of) {
  const std::lock_guard lock(mutex_);
  forbidden_ = std::move(of);
}

bool TableStates::copies_forbidden(const QualifiedName& table) const {
  const std::lock_guard lock(mutex_);
  return is_forbidden(table);
}

bool TableStates::holds_back(const QualifiedName& table) const {
  const std::lock_guard lock(mutex_);
  return is_held_back(table);
}

void TableStates::begin(std::vector<TableRecord> tables, Lsn journal_begin) {
  const std::lock_guard lock(mutex_);
  tables_.clear();
  for (TableRecord& table : tables) {
    const bool in_doubt = table.state == TableState::Waiting && !table.asked && table.schema &&
                          !table.schema->columns.empty();
    const bool stands = table.state == TableState::Paused || table.state == TableState::SetAside;
    const bool holds_rows = table.schema && !table.schema->columns.empty();
    table.resumable =
        stands && holds_rows && table.position.known() && table.position >= journal_begin;
    if (in_doubt && is_held_back(table.name)) {
      table.state = TableState::SetAside;
      table.reason = why_held_back(table.name, table.reason);
    }
    table.since = clock_.now();
    const Oid oid = table.oid;
    tables_.emplace(oid, std::move(table));
  }
  begun_ = true;
  ++changes_;
  changed_.notify_all();
}

TableRecord& TableStates::record(Oid oid) {
  TableRecord& table = tables_[oid];
  table.oid = oid;
  return table;
}

void TableStates::enter(TableRecord& table, TableState state) {
  table.state = state;
  table.since = clock_.now();
  table.schema.reset();
  table.held_from = {};
  table.resumable = false;
  table.copy.journal_bytes_left.reset();
  if (state != TableState::CatchingUp && state != TableState::Live) {
    table.copy.rows = 0;
    table.copy.bytes = 0;
  }
  ++changes_;
  changed_.notify_all();
}

void TableStates::live(Oid oid, const QualifiedName& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = tables_.find(oid); found != tables_.end()) {
    // A layer of a table that left may still come.
    if (found->second.state == TableState::Live) {
      found->second.name = name;
    }
    return;
  }
  TableRecord& table = record(oid);
  table.name = name;
  enter(table, TableState::Live);
}

SetAside TableStates::leave(const SetAside& left) {
  const std::lock_guard lock(mutex_);
  TableRecord& table = record(left.oid);
  const bool was_followed = is_followed(table.state);
  // Told twice, it has not changed.
  const bool stands = table.state == TableState::SetAside && table.resumable;
  ++table.attempt;
  table.name = left.table;
  const bool held_back = left.remedy == Remedy::Copy && was_followed && is_held_back(left.table);
  table.reason = held_back ? why_held_back(left.table, left.reason) : left.reason;
  table.position = left.position;
  table.due = clock_.steady();
  SetAside said = left;
  said.reason = table.reason;
  if (left.remedy != Remedy::Copy) {
    enter(table, state_after(left.remedy));
    table.resumable =
        left.remedy == Remedy::Person && left.position.known() && (was_followed || stands);
  } else if (held_back) {
    enter(table, TableState::SetAside);
    said.remedy = Remedy::Person;
  } else {
    if (was_followed) {
      doubt(table);
    } else if (table.state == TableState::Copying) {
      // Its rows were read in vain, and may be so again.
      table.due = clock_.steady() + pause(pauses_.doubted, table.tries);
      ++table.tries;
    }
    enter(table, TableState::Waiting);
  }
  return said;
}

std::string TableStates::why_held_back(const QualifiedName& table,
                                       const std::string& reason) const {
  return is_forbidden(table) ? not_copied(reason) : reason;
}

/// Whatever keeps coming back must not keep the source busy.
void TableStates::doubt(TableRecord& table) {
  ++doubts_;
  const SteadyTime now = clock_.steady();
  if (table.state == TableState::Live && now - table.live_at >= pauses_.doubted.longest) {
    table.doubts = 0;
  }
  if (table.doubts > 0) {
    table.due = now + pause(pauses_.doubted, table.doubts - 1);
  }
  ++table.doubts;
}

std::optional<TableRecord> TableStates::granted(const TableRecord& now) {
  const std::lock_guard lock(mutex_);
  TableRecord& table = record(now.oid);
  // Of a copy that failed, or that a restart ended, the target may have some.
  const TableState state = now.state == TableState::Copying ? TableState::Waiting : now.state;
  if (state == TableState::Waiting) {
    if (table.state == TableState::Copying) {
      return std::nullopt;
    }
    table.due = clock_.steady();
    table.doubts = 0;
  }
  if (state == table.state) {
    ++changes_;
    changed_.notify_all();
    return std::nullopt;
  }
  const bool was_followed = is_followed(table.state);
  ++table.attempt;
  table.name = now.name;
  table.reason = now.reason;
  table.position = now.position;
  if (state == TableState::Waiting && was_followed && !now.asked && is_held_back(now.name)) {
    table.reason = why_held_back(now.name, now.reason);
    enter(table, TableState::SetAside);
    return table;
  }
  enter(table, state);
  // A load whose end nobody heard of may have set it aside.
  const bool stands =
      state == TableState::Paused || (state == TableState::SetAside && was_followed);
  table.resumable = stands && now.position.known();
  if (state == TableState::CatchingUp) {
    table.schema = now.schema;
  }
  return table;
}

void TableStates::pause_loading(bool paused) {
  const std::lock_guard lock(mutex_);
  loading_paused_ = paused;
  ++changes_;
  changed_.notify_all();
}

void TableStates::unpublished(bool any) {
  const std::lock_guard lock(mutex_);
  publish_ = any;
  // The answer that names a new table comes before the next look; one that was dropped is not met.
  if (--looks_left_ < 0) {
    expected_.clear();
  }
  ++changes_;
  changed_.notify_all();
}

void TableStates::look_at_publication() {
  const std::lock_guard lock(mutex_);
  looks_in_vain_ += publishing_ ? 1 : 0;
  look_again_ = true;
  publishing_ = false;
  ++changes_;
  changed_.notify_all();
}

void TableStates::published(const std::vector<Oid>& added,
                            std::map<QualifiedName, std::string> failed) {
  const std::lock_guard lock(mutex_);
  unpublishable_ = std::move(failed);
  publishing_ = false;
  looked_ = true;
  looks_in_vain_ = 0;
  if (!added.empty()) {
    expected_.insert(added.begin(), added.end());
    looks_left_ = kLooksForPublished;
  }
}

std::map<QualifiedName, std::string> TableStates::publishing_failures() const {
  const std::lock_guard lock(mutex_);
  return unpublishable_;
}

CopyWork TableStates::wait_for_copies(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  CopyWork work;
  while (!stop.stop_requested() && !closed_) {
    const SteadyTime now = clock_.steady();
    SteadyTime next = now + std::chrono::hours(1);
    if (!loading_paused_) {
      work.publish = std::exchange(look_again_, false) || publish_;
      publish_ = false;
      publishing_ = publishing_ || work.publish;
    }
    for (const auto& [oid, table] : tables_) {
      if (table.state != TableState::Waiting || loading_paused_) {
        continue;
      }
      if (table.due <= now) {
        work.due.push_back(table);
      } else {
        next = std::min(next, table.due);
      }
    }
    if (!work.empty()) {
      break;
    }
    changed_.wait_until(lock, stop, next,
                        [this, seen = changes_] { return changes_ != seen || closed_; });
  }
  return work;
}

std::map<Oid, std::uint64_t> TableStates::begin_copy(const std::vector<Oid>& tables, Lsn from) {
  const std::lock_guard lock(mutex_);
  std::map<Oid, std::uint64_t> begun;
  for (const Oid oid : tables) {
    TableRecord& table = record(oid);
    if (table.state == TableState::Waiting) {
      enter(table, TableState::Copying);
      table.held_from = from;
      table.copy.began = clock_.now();
      begun[oid] = ++table.attempt;
    }
  }
  return begun;
}

void TableStates::estimate(Oid oid, std::uint64_t rows, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  TableRecord& table = record(oid);
  table.copy.sized = true;
  table.copy.rows_estimated = rows;
  table.copy.bytes_estimated = bytes;
}

void TableStates::copied_some(Oid oid, Lsn position, std::uint64_t rows, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  TableRecord& table = record(oid);
  if (table.state == TableState::Copying && table.held_from == position) {
    table.copy.rows += rows;
    table.copy.bytes += bytes;
  }
}

void TableStates::wait_again(TableRecord& table, const std::string& reason) {
  table.due = clock_.steady() + pause(pauses_.failed, table.tries);
  ++table.tries;
  table.reason = reason;
  enter(table, TableState::Waiting);
}

void TableStates::copy_failed(Oid oid, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (TableRecord& table = record(oid); table.state == TableState::Copying) {
    wait_again(table, reason);
  }
}

void TableStates::copied(const TablePtr& schema, Lsn position, InitialCopy began) {
  const std::lock_guard lock(mutex_);
  for (auto& [oid, other] : tables_) {
    const bool stands = other.state == TableState::Paused || other.state == TableState::SetAside;
    if (oid != schema->oid && stands && other.name == schema->name) {
      other.position = {};
      other.resumable = false;
    }
  }
  TableRecord& table = record(schema->oid);
  if (table.state != TableState::Copying) {
    return;
  }
  enter(table, TableState::CatchingUp);
  table.name = schema->name;
  table.schema = schema;
  table.position = position;
  table.initial_copy = began;
  table.reason.clear();
}

std::vector<TableRecord> TableStates::wait_for_lagging(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::vector<TableRecord> lagging;
  changed_.wait(lock, stop, [&] {
    return closed_ || std::ranges::any_of(tables_, [](const auto& entry) {
             return entry.second.state == TableState::CatchingUp;
           });
  });
  if (!stop.stop_requested() && !closed_) {
    for (const auto& [oid, table] : tables_) {
      if (table.state == TableState::CatchingUp) {
        lagging.push_back(table);
      }
    }
  }
  return lagging;
}

void TableStates::wait_until_joined(const std::vector<TableRecord>& tables,
                                    const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] {
    return closed_ || std::ranges::none_of(tables, [this](const TableRecord& table) {
             const auto found = tables_.find(table.oid);
             return found != tables_.end() && found->second.attempt == table.attempt &&
                    found->second.state == TableState::CatchingUp;
           });
  });
}

bool TableStates::is_current(Oid oid, std::uint64_t attempt) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(oid);
  return found != tables_.end() && found->second.attempt == attempt;
}

std::vector<Oid> TableStates::take_joined() {
  const std::lock_guard lock(mutex_);
  return std::exchange(joined_, {});
}

void TableStates::journal_left(const std::vector<Oid>& tables, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  for (const Oid oid : tables) {
    if (TableRecord& table = record(oid); table.state == TableState::CatchingUp) {
      table.copy.journal_bytes_left = bytes;
    }
  }
}

void TableStates::hold_from(const std::vector<Oid>& tables, Lsn position) {
  const std::lock_guard lock(mutex_);
  for (const Oid oid : tables) {
    if (TableRecord& table = record(oid); table.state == TableState::Copying) {
      table.held_from = std::max(table.held_from, position);
    }
  }
}

void TableStates::caught_up_to(const std::vector<TableAt>& tables, Lsn position) {
  const std::lock_guard lock(mutex_);
  for (const TableAt& at : tables) {
    // One that was copied anew since is further.
    TableRecord& table = record(at.oid);
    if (table.state == TableState::CatchingUp && table.position == at.position) {
      table.position = std::max(table.position, position);
    }
  }
}

void TableStates::joined(const std::vector<TableAt>& tables) {
  const std::lock_guard lock(mutex_);
  for (const TableAt& at : tables) {
    TableRecord& table = record(at.oid);
    if (table.state == TableState::CatchingUp && table.position == at.position) {
      joined_.push_back(at.oid);
      enter(table, TableState::Live);
      table.tries = 0;
      table.live_at = clock_.steady();
    }
  }
}

std::optional<TableState> TableStates::state(Oid oid) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(oid);
  return found == tables_.end() ? std::nullopt : std::optional(found->second.state);
}

/// Nobody can say whether such a table ever gets its copy.
bool TableStates::is_stuck(const TableRecord& table) {
  constexpr int kTries = 8;
  return table.state == TableState::Waiting && table.tries >= kTries;
}

bool TableStates::settled() const {
  const std::lock_guard lock(mutex_);
  const bool to_look = publish_ || (look_again_ && !looked_ && looks_in_vain_ < kLooksInVainMax);
  if ((to_look && !loading_paused_) || publishing_ ||
      !std::ranges::all_of(expected_, [&](Oid oid) { return tables_.contains(oid); })) {
    return false;
  }
  return std::ranges::all_of(tables_, [](const auto& entry) {
    const TableRecord& table = entry.second;
    return table.state == TableState::Live ||
           (has_left(table.state) && table.state != TableState::Waiting) || is_stuck(table);
  });
}

std::uint64_t TableStates::doubts() const {
  const std::lock_guard lock(mutex_);
  return doubts_;
}

bool TableStates::any_set_aside() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(tables_, [](const auto& entry) {
    const TableState state = entry.second.state;
    return state == TableState::SetAside || state == TableState::Paused || is_stuck(entry.second);
  });
}

std::vector<TableRecord> TableStates::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<TableRecord> tables;
  tables.reserve(tables_.size());
  for (const auto& [oid, table] : tables_) {
    tables.push_back(table);
  }
  return tables;
}

void TableStates::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace re_dms
