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
#include "warehouse/redshift/load_tries.h"
#include "warehouse/redshift/redshift_tables.h"
#include "warehouse/redshift/service_schema.h"
#include "warehouse/redshift/session.h"
#include "warehouse/service_tables.h"
#include "warehouse/taken_tables.h"
#include "warehouse/wishes.h"

namespace re_dms::redshift {

namespace {

constexpr std::chrono::days kLoadsKept{30};
constexpr std::chrono::hours kForgetInterval{1};

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
  LoadReport try_load(const StagedBatch& batch, const std::stop_token& stop);
  LoadReport load_into(Session& session, const StagedBatch& batch, const std::stop_token& stop);
  void load_in_lanes(const StagedBatch& batch, const LoadRun& run, const StoredPosition& stored,
                     BatchLoad& load, const std::stop_token& stop);
  void load_suspects(Session& session, const LoadRun& run, BatchLoad& load);
  void load_last(Session& session, const StagedBatch& batch, const LoadRun& run, BatchLoad& load);
  void apply(BatchLoad& load, const std::vector<Oid>& tables);
  void apply_in_parts(Session& session, const LoadRun& run, BatchLoad& load,
                      std::vector<Oid> tables);
  void commit_part(Session& session, const LoadRun& run, BatchLoad& load);
  void look_behind_commit(Session& session, const BatchLoad& load);
  void write_of_our_own(Session& session);
  void note_failed(const Failing& failed, const BatchLoad& load, const StatementFailed& error);
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
  /// Between two tries of copied rows others are loaded.
  LoadTries copies_;
  LoadTries others_;
  LoadTries* trying_ = &others_;     ///< of the batch being loaded
  bool alone_ = false;               ///< a suspect is being loaded
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
    StoredTables known = service.tables();
    require_not_ahead(describe(), furthest(service.stored_position(), known), before.journal_end);
    epoch_ = service.raise_epoch(now);
    const StoredPosition stored = service.stored_position();
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
  trying_ = batch.kind == BatchKind::Copy ? &copies_ : &others_;
  trying_->begin(batch, started);
  LoadReport report = try_load(batch, stop);
  report.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return report;
}

LoadReport RedshiftWarehouse::try_load(const StagedBatch& batch, const std::stop_token& stop) {
  for (;;) {
    try {
      return with_session(stop, [&](Session& session) { return load_into(session, batch, stop); });
    } catch (const StatementFailed&) {
      if (!trying_->goes_on(clock_.steady())) {
        throw;
      }
    }
  }
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
    return report_again(batch, stored, *known_, trying_->batch_tries());
  }
  // Whatever goes wrong from here on, what the target holds is read again before it is relied on.
  StoredTables known = std::move(*known_);
  known_.reset();
  const LoadRun run{stored.loads + 1, epoch_, batch.span, clock_.now()};
  find_gaps(batch, known, trying_->batch_tries().failed);
  RedshiftTables target(session, loads_, stored);
  BatchLoad load(target, settings_, clock_, batch, std::move(known), trying_->batch_tries());
  leaves_staged_rows_ = false;
  alone_ = false;
  try {
    look_behind_commit(session, load);
    // A cluster that takes nothing is not asked for each table.
    if (trying_->is_to_write()) {
      write_of_our_own(session);
    }
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
  while (tables.size() > trying_->suspects().together()) {
    const auto end = tables.begin() + static_cast<std::ptrdiff_t>(trying_->suspects().together());
    apply(load, {tables.begin(), end});
    tables.erase(tables.begin(), end);
    commit_part(session, run, load);
    trying_->suspects().committed();
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
/// others come first, or, where there are none, a transaction without rows. Throws where tables
/// failed in this try: they have yet to take the batch.
void RedshiftWarehouse::load_suspects(Session& session, const LoadRun& run, BatchLoad& load) {
  trying_->leave_found(load, clock_.steady());
  const std::vector<Oid> missing = load.missing();
  const std::vector<Oid> others = trying_->without_failing(missing);
  if (others.size() == missing.size() && !trying_->has_left_out()) {
    return;
  }
  apply_in_parts(session, run, load, others);
  ServiceTables(session).touch();
  commit_part(session, run, load);
  for (const Oid oid : trying_->to_be_tried_alone(missing)) {
    alone_ = true;
    apply(load, {oid});
    commit_part(session, run, load);
    alone_ = false;
  }
  trying_->require_none_left_out();
}

/// A failed COMMIT counts only where the tables do not hold the batch, as the fence has shown, and
/// where one without their rows passes: else it is the cluster's, or took place.
void RedshiftWarehouse::look_behind_commit(Session& session, const BatchLoad& load) {
  const auto failed = trying_->take_failed_commit();
  const std::vector<Oid> missing = load.missing_changes();
  if (!failed || std::ranges::find(missing, failed->table) == missing.end()) {
    return;
  }
  write_of_our_own(session);
  trying_->suspects().failed(*failed, clock_.steady());
}

void RedshiftWarehouse::write_of_our_own(Session& session) {
  begin_behind_fences(session);
  ServiceTables service(session);
  require_epoch(service.stored_position(), epoch_);
  service.touch();
  session.commit();
}

void RedshiftWarehouse::note_failed(const Failing& failed, const BatchLoad& load,
                                    const StatementFailed& error) {
  if (std::exchange(alone_, false)) {
    throw trying_->note_failed_alone(failed, load, error, clock_.steady());
  }
  trying_->note_failed(failed, clock_.steady());
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
  const std::vector<Oid> tables = trying_->without_failing(load.of_rows_only(missing));
  const int lanes = settings_.lanes - (tables.size() < missing.size() ? 1 : 0);
  if (lanes < 2 || tables.empty() || trying_->suspects().searches()) {
    return;
  }
  const auto dealt = deal(batch, tables, lanes);
  if (dealt.size() < 2) {
    return;
  }
  std::vector<Failing> failed;
  try {
    lanes_.load(batch, dealt, run, stored, {load, trying_->batch_tries(), failed}, stop);
  } catch (const Error&) {
    for (const Failing& each : failed) {
      trying_->note_failed(each, clock_.steady());
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
