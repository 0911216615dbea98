#include "warehouse/duckdb/duckdb_warehouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/file_system.h"
#include "warehouse/batch_load.h"
#include "warehouse/duckdb/duckdb_tables.h"
#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/service_schema.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"
#include "warehouse/load_checks.h"
#include "warehouse/service_tables.h"
#include "warehouse/taken_tables.h"
#include "warehouse/wishes.h"

namespace re_dms::duckdb {

namespace {

/// So many tables one transaction loads at most.
class PartSize {
 public:
  std::size_t tables() const { return tables_; }

  void halve(std::size_t from, std::size_t least) {
    before_search_ = before_search_ ? before_search_ : std::optional(tables_);
    tables_ = std::max(from / 2, least);
  }

  /// A table failed alone: that the others do not fit together is no longer known.
  void found_alone() {
    tables_ = before_search_.value_or(tables_);
    before_search_.reset();
  }

  void grow() {
    before_search_.reset();
    tables_ = tables_ > kUnlimited / 2 ? kUnlimited : tables_ * 2;
  }

 private:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  std::size_t tables_ = kUnlimited;
  std::optional<std::size_t> before_search_;
};

/// A COMMIT that DuckDB refused, not for want of disk.
struct FailedCommit {
  std::vector<Oid> tables;
  std::string reason;
};

/// What earlier tries of the batch of this span showed.
struct Trying {
  std::pair<BatchKind, BatchSpan> batch{};
  BatchTries tries{};
  std::size_t faults = 0;
  PartSize by_faults{};
  std::optional<FailedCommit> failed_commit{};
  std::map<Oid, int> refused_alone{};
};

/// What DuckDB 1.4 holds at COMMIT of a table that gets rows: two blocks of 256 KiB for each
/// column, values and NULLs, and two more while they are compressed, however few the rows are. Most
/// of a block is never touched; it counts all the same.
std::uint64_t memory_for(const StagedBatch& batch, std::uint64_t share) {
  constexpr std::uint64_t kColumnBytes = 9U << 17;  // and an eighth for everything else
  std::uint64_t columns = 0;
  for (const StagedLayer& layer : batch.layers) {
    columns = std::max<std::uint64_t>(columns, layer.table->columns.size());
  }
  return share == 0 ? 0 : std::max(share, columns * kColumnBytes);
}

constexpr std::chrono::days kLoadsKept{30};
constexpr std::chrono::hours kForgetInterval{1};

/// Opens the file for each call and closes it after, so that people can read it in between. It is
/// the only one in the process that opens it.
class DuckdbWarehouse final : public Warehouse {
 public:
  DuckdbWarehouse(WarehouseSettings settings, std::string path, Clock& clock)
      : settings_(std::move(settings)), path_(std::move(path)), clock_(clock) {}

  TargetState take_over(const Origin& origin, const TargetBefore& before,
                        const std::stop_token& stop) override;
  LoadReport load(const StagedBatch& batch, const std::stop_token& stop) override;
  std::vector<TargetTable> grant(const std::vector<TableWish>& wishes,
                                 const std::stop_token& stop) override;

  std::string describe() const override {
    return fmt::format("DuckDB {} at {}", library_version().substr(1), path_);
  }

 private:
  SessionSettings session_settings(std::uint64_t memory_bytes) const {
    return {path_, memory_bytes, settings_.temporary_directory, settings_.temporary_reserve_bytes,
            settings_.watch};
  }

  /// Nothing when a COMMIT failed that may do with fewer tables.
  std::optional<LoadReport> load_into(Session& session, const StagedBatch& batch);
  void load_parts(Session& session, BatchLoad& load, const LoadRun& run);
  void learn(const LoadFault& fault, const std::vector<Oid>& part, BatchLoad& load);
  void learn(const FailedCommit& failed, Session& session, const StagedBatch& batch);
  void keep_books(ServiceTables& service, const StoredPosition& before);

  const WarehouseSettings settings_;
  const std::string path_;
  Clock& clock_;
  std::uint64_t epoch_ = 0;
  /// The file's tables, as of the last call that ended well: nobody else writes them while the
  /// fence is ours. Empty: to be read.
  std::optional<StoredTables> known_;
  /// When the file was closed after the last load, if its rows in loads do not say so yet.
  std::optional<SystemTime> closed_;
  std::optional<SteadyTime> forgot_;
  /// Between two tries of copied rows others are loaded.
  Trying copies_;
  Trying others_;
  Trying* trying_ = &others_;  ///< of the batch being loaded
  /// How many tables fit into memory together.
  PartSize by_memory_;
};

/// A table whose shape somebody changed is copied anew, or set aside: rows must not go into columns
/// they are not for.
void set_aside_changed_shapes(Session& session, const StoredPosition& stored, StoredTables& known,
                              SystemTime now) {
  TargetCatalog catalog(session, 0);
  std::vector<const StoredTable*> changed;
  for (auto& [oid, table] : known) {
    if (table.state != TableState::Live && table.state != TableState::CatchingUp) {
      continue;
    }
    if (auto difference = catalog.difference(table)) {
      if (table.state == TableState::Live) {
        table.position = std::max(stored.loaded, table.position);
      }
      table.state = state_after(difference->remedy);
      table.reason = "the target was changed: " + difference->text;
      changed.push_back(&table);
    }
  }
  ServiceTables(session).write(changed, now);
}

TargetState DuckdbWarehouse::take_over(const Origin& origin, const TargetBefore& before,
                                       const std::stop_token& stop) {
  known_.reset();
  // DuckDB would make a new one.
  if (before.made && !std::filesystem::exists(path_)) {
    throw_target_gone(describe());
  }
  std::error_code ignored;
  std::filesystem::remove_all(settings_.temporary_directory, ignored);
  TargetState state;
  {
    Session session(session_settings(settings_.memory_bytes), FileAccess::ReadWrite, stop);
    ServiceTables service(session);
    const SystemTime now = clock_.now();
    failpoint("take-over-before");
    session.execute(sql("BEGIN TRANSACTION"));
    if (!service.exist()) {
      if (before.made) {
        throw_target_gone(describe());
      }
      service.create(service_schema(), origin, now);
      failpoint("take-over-tables-made");
    }
    service.check_belongs_to(origin);
    service.migrate(migration(session));
    StoredTables known = service.tables();
    require_not_ahead(describe(), furthest(service.stored_position(), known), before.journal_end);
    epoch_ = service.raise_epoch(now);
    const StoredPosition stored = service.stored_position();
    set_aside_changed_shapes(session, stored, known, now);
    DuckdbTables target(session);
    take_tables(target, settings_, known, now);
    service.mark_visible(stored.loads, now);
    failpoint("take-over-commit-before");
    session.commit();
    failpoint("take-over-commit-after");
    state = target_state(stored, known);
    known_ = std::move(known);
  }
  closed_.reset();
  failpoint("take-over-close-after");
  return state;
}

LoadReport DuckdbWarehouse::load(const StagedBatch& batch, const std::stop_token& stop) {
  RE_DMS_CHECK(epoch_ != 0);
  const SteadyTime started = clock_.steady();
  failpoint("load-before");
  LoadReport report;
  for (std::optional<LoadReport> done; !done;) {
    Session session(session_settings(memory_for(batch, settings_.memory_bytes)),
                    FileAccess::ReadWrite, stop);
    done = load_into(session, batch);
    report = done.value_or(report);
  }
  closed_ = clock_.now();
  failpoint("load-close-after");
  report.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return report;
}

std::vector<TargetTable> DuckdbWarehouse::grant(const std::vector<TableWish>& wishes,
                                                const std::stop_token& stop) {
  failpoint("grant-before");
  std::vector<TargetTable> granted;
  {
    Session session(session_settings(settings_.memory_bytes), FileAccess::ReadWrite, stop);
    ServiceTables service(session);
    DuckdbTables target(session);
    const StoredPosition stored = service.stored_position();
    require_epoch(stored, epoch_);
    StoredTables known = known_ ? std::move(*known_) : service.tables();
    known_.reset();
    session.execute(sql("BEGIN TRANSACTION"));
    granted = re_dms::grant(target, settings_, stored, known, wishes, clock_.now());
    failpoint("grant-commit-before");
    session.commit();
    failpoint("grant-commit-after");
    known_ = std::move(known);
  }
  closed_ = clock_.now();
  return granted;
}

std::optional<LoadReport> DuckdbWarehouse::load_into(Session& session, const StagedBatch& batch) {
  ServiceTables service(session);
  const StoredPosition stored = service.stored_position();
  const BatchSpan& span = batch.span;
  require_epoch(stored, epoch_);
  trying_ = batch.kind == BatchKind::Copy ? &copies_ : &others_;
  if (trying_->batch != std::pair(batch.kind, span)) {
    *trying_ = {.batch = {batch.kind, span}};
  }
  if (is_loaded(batch, stored)) {
    return report_again(batch, stored, service.tables(), trying_->tries);
  }
  // Whatever goes wrong from here on, what the file holds is read again before it is relied on.
  StoredTables known = known_ ? std::move(*known_) : service.tables();
  known_.reset();
  const LoadRun run{stored.loads + 1, epoch_, span, clock_.now()};
  find_gaps(batch, known, trying_->tries.failed);
  if (trying_->failed_commit) {
    learn(*trying_->failed_commit, session, batch);
    trying_->failed_commit.reset();
  }
  DuckdbTables target(session);
  BatchLoad load(target, settings_, clock_, batch, std::move(known), trying_->tries);
  try {
    load_parts(session, load, run);
    load.record_last(run);
    keep_books(service, stored);
    if (batch.kind == BatchKind::Stream) {
      service.advance(run, clock_.now());
    } else {
      service.count(run);
    }
    failpoint("load-commit-before");
    session.commit();
  } catch (const CommitRefused& error) {
    // One without rows: the target is at fault.
    if (load.in_transaction().empty()) {
      throw;
    }
    trying_->failed_commit = {load.in_transaction(), error.what()};
    return std::nullopt;
  }
  failpoint("load-commit-after");
  const StoredPosition after = service.stored_position();
  if (after.loads != run.number || (batch.kind == BatchKind::Stream && after.loaded != span.to)) {
    throw Error(ErrorKind::Transient, "DuckDB reported a COMMIT that did not take place");
  }
  load.committed();
  by_memory_.grow();
  LoadReport report = load.report();
  known_ = load.take_known();
  return report;
}

/// Loads the batch but for its last part, which it applies in a transaction that stays open.
void DuckdbWarehouse::load_parts(Session& session, BatchLoad& load, const LoadRun& run) {
  for (;;) {
    std::vector<Oid> part = load.missing();
    const std::size_t most = std::min(by_memory_.tables(), trying_->by_faults.tables());
    const bool last = part.size() <= most;
    part.resize(std::min(part.size(), most));
    if (const auto fault = load.apply(part)) {
      learn(*fault, part, load);
    } else if (last) {
      return;
    } else {
      load.record_part(run);
      failpoint("load-part-commit-before");
      session.commit_and_go_on();
      failpoint("load-part-commit-after");
      load.committed();
    }
  }
}

/// Memory is what the tables of one transaction take together, so fewer of them are tried: nobody
/// can tell who took it. Where several tables fail for reasons of their own, each costs only the
/// tables that share its transaction a second try.
void DuckdbWarehouse::learn(const LoadFault& fault, const std::vector<Oid>& part, BatchLoad& load) {
  constexpr std::size_t kPartLeast = 16;
  if (fault.out_of_memory && part.size() > 1) {
    by_memory_.halve(part.size(), 1);
    return;
  }
  load.leave_out(fault);
  if (fault.out_of_memory) {
    by_memory_.found_alone();
    return;
  }
  if (++trying_->faults > 1) {
    trying_->by_faults.halve(part.size(), kPartLeast);
  }
}

/// A COMMIT may fail for the memory that it needs, or for a fault of one table. Where one without
/// rows fails too, no table is to blame, and the target is waited for.
void DuckdbWarehouse::learn(const FailedCommit& failed, Session& session,
                            const StagedBatch& batch) {
  constexpr int kTriesAlone = 3;
  session.execute(sql("BEGIN TRANSACTION"));
  session.execute(sql("UPDATE re_dms_internal.fence SET taken_at = taken_at"));
  session.commit_and_go_on();
  if (failed.tables.size() != 1) {
    by_memory_.halve(failed.tables.size(), 1);
    return;
  }
  const Oid oid = failed.tables[0];
  if (++trying_->refused_alone[oid] == kTriesAlone) {
    const auto layer = std::ranges::find(batch.layers, oid,
                                         [](const StagedLayer& each) { return each.table->oid; });
    trying_->tries.failed[oid] = {oid, layer->table->name, failed.reason, {}};
    by_memory_.found_alone();
  }
}

/// What is written about loads beside the position, in the same transaction.
void DuckdbWarehouse::keep_books(ServiceTables& service, const StoredPosition& before) {
  if (closed_) {
    service.mark_visible(before.loads, *closed_);
  }
  const SteadyTime now = clock_.steady();
  if (!forgot_ || now - *forgot_ >= kForgetInterval) {
    service.forget_loads_before(clock_.now() - kLoadsKept);
    forgot_ = now;
  }
}

}  // namespace

std::unique_ptr<Warehouse> make_warehouse(const WarehouseSettings& settings, Clock& clock) {
  return std::make_unique<DuckdbWarehouse>(settings, file_of(settings.url), clock);
}

}  // namespace re_dms::duckdb
