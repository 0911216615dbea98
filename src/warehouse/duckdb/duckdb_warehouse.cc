#include "warehouse/duckdb/duckdb_warehouse.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/file_system.h"
#include "warehouse/duckdb/batch_load.h"
#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/service_tables.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"

namespace re_dms::duckdb {

namespace {

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

  std::string describe() const override {
    return fmt::format("DuckDB {} at {}", library_version().substr(1), path_);
  }

 private:
  SessionSettings session_settings() const {
    return {path_, settings_.memory_bytes, settings_.temporary_directory,
            settings_.temporary_reserve_bytes, settings_.on_statement};
  }

  LoadReport load_into(Session& session, const StagedBatch& batch);
  LoadReport report_again(Session& session, const StagedBatch& batch, const StoredPosition& stored);
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
  /// Tables that failed in earlier tries of the batch of this span.
  BatchSpan trying_;
  FailedTables failed_;
};

TargetState target_state(const StoredPosition& stored, const StoredTables& known) {
  TargetState state{stored.epoch, stored.loaded, {}};
  for (const auto& [oid, table] : known) {
    state.tables.push_back({table.schema, table.live, table.reason, table.position});
  }
  return state;
}

/// A live table whose shape somebody changed is set aside: rows must not go into columns they are
/// not for.
void set_aside_changed_shapes(Session& session, const StoredPosition& stored, StoredTables& known,
                              SystemTime now) {
  TargetCatalog catalog(session, 0);
  std::vector<const StoredTable*> changed;
  for (auto& [oid, table] : known) {
    if (!table.live) {
      continue;
    }
    if (auto difference = catalog.difference(table)) {
      table.live = false;
      table.reason = "the target was changed: " + *difference;
      table.position = stored.loaded;
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
    Session session(session_settings(), FileAccess::ReadWrite, stop);
    ServiceTables service(session);
    const SystemTime now = clock_.now();
    failpoint("take-over-before");
    session.execute(sql("BEGIN TRANSACTION"));
    if (!service.exist()) {
      if (before.made) {
        throw_target_gone(describe());
      }
      service.create(origin, now);
      failpoint("take-over-tables-made");
    }
    service.check_belongs_to(origin);
    require_not_ahead(describe(), service.stored_position().loaded, before.journal_end);
    epoch_ = service.raise_epoch(now);
    const StoredPosition stored = service.stored_position();
    StoredTables known = service.tables();
    set_aside_changed_shapes(session, stored, known, now);
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
  {
    Session session(session_settings(), FileAccess::ReadWrite, stop);
    report = load_into(session, batch);
  }
  closed_ = clock_.now();
  failpoint("load-close-after");
  report.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return report;
}

LoadReport DuckdbWarehouse::load_into(Session& session, const StagedBatch& batch) {
  ServiceTables service(session);
  const StoredPosition stored = service.stored_position();
  const BatchSpan& span = batch.span;
  if (stored.epoch != epoch_) {
    throw Error(ErrorKind::Fatal,
                fmt::format("another re_dms took over the warehouse file (epoch {}, ours is {})",
                            stored.epoch, epoch_),
                "Let only one daemon run per slot");
  }
  if (stored.loaded == span.to && span.from != span.to) {
    return report_again(session, batch, stored);
  }
  if (stored.loaded != span.from) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the warehouse is loaded up to {}, but the batch starts at {}",
                            stored.loaded, span.from),
                "Restart re_dms: it continues where the warehouse stands");
  }
  // Whatever goes wrong from here on, what the file holds is read again before it is relied on.
  StoredTables known = known_ ? std::move(*known_) : service.tables();
  known_.reset();
  const LoadRun run{stored.loads + 1, epoch_, span, clock_.now()};
  if (trying_ != span) {
    trying_ = span;
    failed_.clear();
  }
  BatchLoad load(session, clock_, batch, known, settings_.schema, failed_);
  BatchOutcome outcome = load.apply(run);
  keep_books(service, stored);
  service.advance(run, clock_.now());
  failpoint("load-commit-before");
  session.commit();
  failpoint("load-commit-after");
  if (const StoredPosition after = service.stored_position(); after.loaded != span.to) {
    throw Error(ErrorKind::Transient, "DuckDB reported a COMMIT that did not take place");
  }

  LoadReport report;
  report.set_aside = std::move(outcome.set_aside);
  for (const auto& [oid, table_load] : outcome.loads) {
    report.rows += table_load.counts.rows();
  }
  for (auto& [oid, table] : outcome.tables) {
    known.insert_or_assign(oid, std::move(table));
  }
  known_ = std::move(known);
  return report;
}

/// For a batch whose COMMIT took place although its answer was lost.
LoadReport DuckdbWarehouse::report_again(Session& session, const StagedBatch& batch,
                                         const StoredPosition& stored) {
  LoadReport report;
  for (const auto& [oid, table] : ServiceTables(session).tables()) {
    if (!table.live && table.set_aside_load == stored.loads) {
      report.set_aside.push_back({oid, table.schema.name, table.reason, table.position});
    }
  }
  std::set<Oid> left_out = oids(batch.set_aside);
  left_out.merge(oids(report.set_aside));
  for (const StagedLayer& layer : batch.layers) {
    report.rows += left_out.contains(layer.table->oid) ? 0 : layer.counts.rows();
  }
  return report;
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
