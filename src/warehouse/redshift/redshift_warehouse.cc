#include "warehouse/redshift/redshift_warehouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "observe/log.h"
#include "warehouse/batch_load.h"
#include "warehouse/load_checks.h"
#include "warehouse/redshift/copies_left.h"
#include "warehouse/redshift/faults.h"
#include "warehouse/redshift/fence.h"
#include "warehouse/redshift/lanes.h"
#include "warehouse/redshift/redshift_tables.h"
#include "warehouse/redshift/service_schema.h"
#include "warehouse/redshift/session.h"
#include "warehouse/redshift/suspects.h"
#include "warehouse/service_tables.h"
#include "warehouse/taken_tables.h"
#include "warehouse/wishes.h"

namespace re_dms::redshift {

namespace {

constexpr std::chrono::days kLoadsKept{30};
constexpr std::chrono::hours kForgetInterval{1};
/// Of the longest between two tries: five minutes, and an hour.
constexpr int kPausesForOne = 10;
constexpr int kPausesForAll = 120;

/// Keeps one session open between loads. After any error but that of a table it opens another one:
/// what the old session has begun then ends by itself, and what it did is seen under the fence.
class RedshiftWarehouse final : public Warehouse {
 public:
  RedshiftWarehouse(WarehouseSettings settings, Clock& clock)
      : settings_(std::move(settings)),
        sessions_(session_settings(settings_)),
        loads_{{settings_.iam_role, settings_.bucket_region, settings_.null_text},
               settings_.layout},
        clock_(clock),
        lanes_(sessions_, loads_, settings_, clock) {}

  TargetState take_over(const Origin& origin, const TargetBefore& before,
                        const std::stop_token& stop) override;
  LoadReport load(const StagedBatch& batch, const std::stop_token& stop) override;
  std::vector<TargetTable> grant(const std::vector<TableWish>& wishes,
                                 const std::stop_token& stop) override;

  std::string describe() const override {
    return fmt::format("Redshift at {}", place(settings_.url));
  }

 private:
  template <typename F>
  auto with_session(const std::stop_token& stop, F work);
  void connect(const std::stop_token& stop);
  StoredTables take_known(ServiceTables& service);
  void know_tables(Session& session);
  LoadReport load_into(Session& session, const StagedBatch& batch, const std::stop_token& stop);
  void load_in_lanes(const StagedBatch& batch, const LoadRun& run, const StoredPosition& stored,
                     BatchLoad& load, const std::stop_token& stop);
  void load_suspects(Session& session, const LoadRun& run, BatchLoad& load);
  void load_last(Session& session, const StagedBatch& batch, const LoadRun& run, BatchLoad& load);
  void apply(BatchLoad& load, const std::vector<Oid>& tables);
  void apply_in_parts(Session& session, const LoadRun& run, BatchLoad& load,
                      std::vector<Oid> tables);
  void commit_part(Session& session, const LoadRun& run, BatchLoad& load);
  void leave_found(const BatchLoad& load);

  /// Whether the batch is, of tables that nobody follows yet: to leave costs them what is copied,
  /// and to wait for them costs all others.
  bool is_of_copies() const { return trying_.first == BatchKind::Copy; }

  void look_behind_commit(Session& session, const BatchLoad& load);
  void note_failed(const Failing& failed, const BatchLoad& load, const StatementFailed& error);
  void note_failed(const Failing& failed);
  void drop_given_up(Session& session, std::vector<CopyLeft> copies);
  void keep_books(ServiceTables& service);

  const WarehouseSettings settings_;
  const SessionSettings sessions_;
  const LoadSettings loads_;
  Clock& clock_;
  std::optional<Session> session_;
  Lanes lanes_;
  std::uint64_t epoch_ = 0;
  /// The target's tables, as of the last call that ended well. Empty: to be read.
  std::optional<StoredTables> known_;
  bool read_again_ = false;       ///< known_, since the last look for copies that were given up
  std::set<Oid> copies_refused_;  ///< of these tables: what could not be dropped is said
  std::optional<SteadyTime> forgot_;
  /// What earlier tries of the batch of this span showed.
  std::pair<BatchKind, BatchSpan> trying_;
  BatchTries tries_;
  Suspects suspects_{
      {kPausesForOne * retry_policy().longest, kPausesForAll* retry_policy().longest}};
  std::optional<Failing> failed_commit_;  ///< that is not counted yet
  bool alone_ = false;                    ///< a suspect is being loaded
  bool leaves_staged_rows_ = false;  ///< the session has temporary tables of tables that failed
};

template <typename F>
auto RedshiftWarehouse::with_session(const std::stop_token& stop, F work) {
  try {
    if (!session_) {
      connect(stop);
    }
    session_->stop_with(stop);
    return work(*session_);
  } catch (const Error&) {
    session_.reset();
    lanes_.close();
    known_.reset();
    throw;
  }
}

/// A password that is changed or a certificate that ends while nobody looks is waited out by a
/// daemon that has been in the target before; a new one is refused.
void RedshiftWarehouse::connect(const std::stop_token& stop) {
  try {
    session_.emplace(sessions_, stop);
  } catch (const Error& error) {
    if (epoch_ == 0 || error.kind() != ErrorKind::Fatal) {
      throw;
    }
    throw Error(ErrorKind::Transient, error.message(), error.advice());
  }
}

TargetState RedshiftWarehouse::take_over(const Origin& origin, const TargetBefore& before,
                                         const std::stop_token& stop) {
  known_.reset();
  return with_session(stop, [&](Session& session) {
    ServiceTables service(session);
    const SystemTime now = clock_.now();
    failpoint("redshift-take-over-before");
    const bool exists = service.exist();
    if (exists) {
      begin_behind_fences(session);
    } else {
      session.execute(sql("BEGIN"));
      if (before.made) {
        throw_target_gone(describe());
      }
      service.create(service_schema(), origin, now);
    }
    service.check_belongs_to(origin);
    // First: what lanes loaded counts too.
    service.settle_lanes();
    require_not_ahead(describe(), furthest(service.stored_position(), service.tables()),
                      before.journal_end);
    epoch_ = service.raise_epoch(now);
    const StoredPosition stored = service.stored_position();
    StoredTables known = service.tables();
    RedshiftTables target(session, loads_, stored);
    take_tables(target, settings_, known, now);
    failpoint("redshift-take-over-commit-before");
    session.commit();
    failpoint("redshift-take-over-commit-after");
    TargetState state = target_state(stored, known);
    known_ = std::move(known);
    // Of a daemon that ended first, or was refused.
    drop_given_up(session, copies_left(*known_, settings_.schema));
    return state;
  });
}

/// Under the fences.
StoredTables RedshiftWarehouse::take_known(ServiceTables& service) {
  if (!known_) {
    service.settle_lanes();
    read_again_ = true;
    return service.tables();
  }
  StoredTables known = std::move(*known_);
  known_.reset();
  return known;
}

/// Behind the fences: a load of ours whose end nobody heard of is over by now.
void RedshiftWarehouse::know_tables(Session& session) {
  if (known_) {
    return;
  }
  ServiceTables service(session);
  begin_behind_fences(session);
  require_epoch(service.stored_position(), epoch_);
  StoredTables known = take_known(service);
  session.commit();
  known_ = std::move(known);
}

LoadReport RedshiftWarehouse::load(const StagedBatch& batch, const std::stop_token& stop) {
  RE_DMS_CHECK(epoch_ != 0);
  const SteadyTime started = clock_.steady();
  failpoint("redshift-load-before");
  LoadReport report =
      with_session(stop, [&](Session& session) { return load_into(session, batch, stop); });
  report.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return report;
}

LoadReport RedshiftWarehouse::load_into(Session& session, const StagedBatch& batch,
                                        const std::stop_token& stop) {
  know_tables(session);
  ServiceTables service(session);
  const StoredPosition stored = service.position(epoch_);
  if (batch.kind == BatchKind::Stream && stored.loaded != batch.span.from) {
    // Where another daemon has gone on, that is what people have to know.
    require_epoch(service.stored_position(), epoch_);
  }
  if (is_loaded(batch, stored)) {
    drop_given_up(session, {});
    return report_again(batch, stored, *known_, tries_);
  }
  // Whatever goes wrong from here on, what the target holds is read again before it is relied on.
  StoredTables known = std::move(*known_);
  known_.reset();
  const LoadRun run{stored.loads + 1, epoch_, batch.span, clock_.now()};
  if (trying_ != std::pair(batch.kind, batch.span)) {
    trying_ = {batch.kind, batch.span};
    tries_ = {};
    suspects_.clear();
    failed_commit_.reset();
  }
  find_gaps(batch, known, tries_.failed);
  RedshiftTables target(session, loads_, stored);
  BatchLoad load(target, settings_, clock_, batch, std::move(known), tries_);
  leaves_staged_rows_ = false;
  alone_ = false;
  try {
    look_behind_commit(session, load);
    load_in_lanes(batch, run, stored, load, stop);
    load_suspects(session, run, load);
    load_last(session, batch, run, load);
  } catch (const StatementFailed& error) {
    if (const auto failed = failing(load, error)) {
      note_failed(*failed, load, error);
    }
    throw;
  }
  LoadReport report = load.report();
  known_ = load.take_known();
  drop_given_up(session, target.take_given_up());
  if (leaves_staged_rows_) {
    session_.reset();
  }
  return report;
}

/// Leaves a transaction open that has all layers of those of the tables that can take them.
void RedshiftWarehouse::apply(BatchLoad& load, const std::vector<Oid>& tables) {
  std::vector<Oid> left = tables;
  while (const auto fault = load.apply(left)) {
    load.leave_out(*fault);
    leaves_staged_rows_ = true;
    std::erase(left, fault->layer->table->oid);
  }
}

/// The same, the last of several transactions where COMMITs fail.
void RedshiftWarehouse::apply_in_parts(Session& session, const LoadRun& run, BatchLoad& load,
                                       std::vector<Oid> tables) {
  while (tables.size() > suspects_.together()) {
    const auto end = tables.begin() + static_cast<std::ptrdiff_t>(suspects_.together());
    apply(load, {tables.begin(), end});
    tables.erase(tables.begin(), end);
    commit_part(session, run, load);
    suspects_.committed();
  }
  apply(load, tables);
}

void RedshiftWarehouse::commit_part(Session& session, const LoadRun& run, BatchLoad& load) {
  load.record_part(run);
  failpoint("redshift-part-commit-before");
  session.commit();
  failpoint("redshift-part-commit-after");
  load.committed();
}

void RedshiftWarehouse::load_last(Session& session, const StagedBatch& batch, const LoadRun& run,
                                  BatchLoad& load) {
  apply_in_parts(session, run, load, load.missing());
  load.record_last(run);
  ServiceTables service(session);
  keep_books(service);
  if (batch.kind == BatchKind::Stream) {
    service.advance(run, clock_.now());
  } else {
    service.count(run);
  }
  failpoint("redshift-load-commit-before");
  session.commit();
  failpoint("redshift-load-commit-after");
  load.committed();
}

/// Tables that tries of the batch ended in, each in a transaction of its own behind all others: one
/// that fails there is alone with its fault. A cluster that takes nothing is no table's fault, so
/// others come first, or, where there are none, a transaction without rows.
void RedshiftWarehouse::load_suspects(Session& session, const LoadRun& run, BatchLoad& load) {
  leave_found(load);
  const std::vector<Oid> suspects = suspects_.among(load.missing());
  if (suspects.empty()) {
    return;
  }
  std::vector<Oid> others = load.missing();
  std::erase_if(others,
                [&](Oid oid) { return std::ranges::find(suspects, oid) != suspects.end(); });
  apply_in_parts(session, run, load, others);
  ServiceTables(session).touch();
  commit_part(session, run, load);
  for (const Oid oid : suspects) {
    alone_ = true;
    apply(load, {oid});
    commit_part(session, run, load);
    alone_ = false;
  }
}

/// Before anything else of the next try, and not in the one that fails: that one's COMMIT may have
/// taken place though its answer was lost, and then the table is not missing.
void RedshiftWarehouse::leave_found(const BatchLoad& load) {
  const bool others_pass = load.any_taken();
  const bool soon = others_pass || is_of_copies();
  for (const Failing& table : suspects_.found(load.missing_changes(), soon, clock_.steady())) {
    tries_.failed[table.table] = {
        table.table,
        table.name,
        fmt::format("loads of this table alone fail again and again, while {}: {}",
                    others_pass ? "others pass" : "the cluster takes other writes", table.reason),
        {},
        Remedy::Copy};
  }
}

/// A failed COMMIT counts only where the tables do not hold the batch, as the fence has shown, and
/// where one without their rows passes: else it is the cluster's, or took place.
void RedshiftWarehouse::look_behind_commit(Session& session, const BatchLoad& load) {
  const auto failed = std::exchange(failed_commit_, std::nullopt);
  const std::vector<Oid> missing = load.missing_changes();
  if (!failed || std::ranges::find(missing, failed->table) == missing.end()) {
    return;
  }
  begin_behind_fences(session);
  ServiceTables service(session);
  require_epoch(service.stored_position(), epoch_);
  service.touch();
  session.commit();
  suspects_.failed(*failed, clock_.steady());
}

/// Says what is waited for, where a table failed alone.
void RedshiftWarehouse::note_failed(const Failing& failed, const BatchLoad& load,
                                    const StatementFailed& error) {
  if (!std::exchange(alone_, false)) {
    note_failed(failed);
    return;
  }
  suspects_.failed_alone(failed, clock_.steady());
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
  throw StatementFailed(fmt::format("{}: {}", waits, error.message()), error.advice(),
                        error.statement(), error.answered());
}

/// Beside others.
void RedshiftWarehouse::note_failed(const Failing& failed) {
  if (!failed.at_commit()) {
    suspects_.failed(failed, clock_.steady());
  } else if (!failed_commit_ || failed_commit_->tables < failed.tables) {
    failed_commit_ = failed;
  }
}

/// Copies that will not be gone on with. What tables they are of was committed, maybe in a
/// transaction whose end nobody heard of.
void RedshiftWarehouse::drop_given_up(Session& session, std::vector<CopyLeft> copies) {
  std::erase_if(copies_refused_, [this](Oid oid) {
    const auto table = known_->find(oid);
    // Of a copy that is begun anew the earlier one is gone.
    return table == known_->end() || table->second.copy_step == 0 ||
           table->second.state == TableState::Copying;
  });
  if (std::exchange(read_again_, false)) {
    for (CopyLeft& left : copies_left(*known_, settings_.schema)) {
      if (!copies_refused_.contains(left.table) &&
          std::ranges::find(copies, left.table, &CopyLeft::table) == copies.end()) {
        copies.push_back(std::move(left));
      }
    }
  }
  if (!drop_copies_left(session, epoch_, copies, *known_)) {
    session_.reset();
    return;
  }
  for (const CopyLeft& left : copies) {
    copies_refused_.insert(left.table);
  }
}

/// Tables of which only rows change; the others follow in the batch's last transaction, which
/// counts as a lane when it has some.
void RedshiftWarehouse::load_in_lanes(const StagedBatch& batch, const LoadRun& run,
                                      const StoredPosition& stored, BatchLoad& load,
                                      const std::stop_token& stop) {
  const std::vector<Oid> missing = load.missing();
  std::vector<Oid> tables = load.of_rows_only(missing);
  const std::vector<Oid> suspects = suspects_.among(tables);
  std::erase_if(tables,
                [&](Oid oid) { return std::ranges::find(suspects, oid) != suspects.end(); });
  const int lanes = settings_.lanes - (tables.size() < missing.size() ? 1 : 0);
  if (lanes < 2 || tables.empty() || suspects_.searches()) {
    return;
  }
  const auto dealt = deal(batch, tables, lanes);
  if (dealt.size() < 2) {
    return;
  }
  std::vector<Failing> failed;
  try {
    lanes_.load(batch, dealt, run, stored, {load, tries_, failed}, stop);
  } catch (const Error&) {
    for (const Failing& each : failed) {
      note_failed(each);
    }
    throw;
  }
  failpoint("lanes-done");
}

void RedshiftWarehouse::keep_books(ServiceTables& service) {
  const SteadyTime now = clock_.steady();
  if (!forgot_ || now - *forgot_ >= kForgetInterval) {
    service.forget_loads_before(clock_.now() - kLoadsKept);
    forgot_ = now;
  }
}

std::vector<TargetTable> RedshiftWarehouse::grant(const std::vector<TableWish>& wishes,
                                                  const std::stop_token& stop) {
  failpoint("redshift-grant-before");
  return with_session(stop, [&](Session& session) {
    ServiceTables service(session);
    begin_behind_fences(session);
    require_epoch(service.stored_position(), epoch_);
    // Behind the lock: a grant whose COMMIT nobody heard of has taken place by now.
    StoredTables known = take_known(service);
    const StoredPosition stored = service.stored_position();
    RedshiftTables target(session, loads_, stored);
    std::vector<TargetTable> granted =
        re_dms::grant(target, settings_, stored, known, wishes, clock_.now());
    failpoint("redshift-grant-commit-before");
    session.commit();
    failpoint("redshift-grant-commit-after");
    known_ = std::move(known);
    drop_given_up(session, target.take_given_up());
    return granted;
  });
}

}  // namespace

std::unique_ptr<Warehouse> make_warehouse(const WarehouseSettings& settings, Clock& clock) {
  check_url(settings.url, !settings.iam_login);
  return std::make_unique<RedshiftWarehouse>(settings, clock);
}

}  // namespace re_dms::redshift
