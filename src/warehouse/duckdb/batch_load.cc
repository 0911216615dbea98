#include "warehouse/duckdb/batch_load.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "warehouse/duckdb/faults.h"
#include "warehouse/duckdb/layer_load.h"
#include "warehouse/duckdb/refused_values.h"

namespace re_dms::duckdb {

namespace {

bool creates_table(const StagedLayer& layer) {
  for (const SchemaChange& change : layer.changes) {
    if (std::holds_alternative<CreateTable>(change)) {
      return true;
    }
  }
  return false;
}

void add(TableLoad& load, const StagedLayer& layer) {
  load.counts.inserts += layer.counts.inserts;
  load.counts.replaces += layer.counts.replaces;
  load.counts.updates += layer.counts.updates;
  load.counts.deletes += layer.counts.deletes;
  for (const StagedFile& file : layer.files) {
    load.stored_bytes += file.stored_bytes;
  }
}

}  // namespace

std::set<Oid> oids(const std::vector<SetAside>& set_aside) {
  std::set<Oid> result;
  for (const SetAside& entry : set_aside) {
    result.insert(entry.oid);
  }
  return result;
}

BatchLoad::BatchLoad(Session& session, const Clock& clock, const StagedBatch& batch,
                     const StoredTables& known, std::string schema, FailedTables& failed)
    : session_(session),
      clock_(clock),
      batch_(batch),
      known_(known),
      schema_(std::move(schema)),
      failed_(failed),
      given_up_(oids(batch.set_aside)) {}

BatchOutcome BatchLoad::apply(const LoadRun& run) {
  for (;;) {
    session_.execute(sql("BEGIN TRANSACTION"));
    auto result = try_layers();
    if (auto* outcome = std::get_if<BatchOutcome>(&result)) {
      record(run, *outcome);
      return std::move(*outcome);
    }
    leave_out(std::get<Fault>(result));
  }
}

std::variant<BatchOutcome, BatchLoad::Fault> BatchLoad::try_layers() {
  BatchOutcome outcome;
  std::map<Oid, EarlierChanges> changed;
  TargetCatalog catalog(session_, std::max<std::size_t>(1, known_.size()));
  for (const StagedLayer& layer : batch_.layers) {
    if (auto fault = try_layer(catalog, layer, outcome, changed)) {
      return std::move(*fault);
    }
  }
  return outcome;
}

std::optional<BatchLoad::Fault> BatchLoad::try_layer(TargetCatalog& catalog,
                                                     const StagedLayer& layer,
                                                     BatchOutcome& outcome,
                                                     std::map<Oid, EarlierChanges>& changed) {
  const Oid oid = layer.table->oid;
  const auto known = known_.find(oid);
  if (given_up_.contains(oid) || failed_.contains(oid) ||
      (known != known_.end() && !known->second.live)) {
    return std::nullopt;
  }
  const auto [entry, first] = outcome.tables.try_emplace(oid, current(oid, layer.table->name));
  if (first && known == known_.end() && !creates_table(layer)) {
    return Fault{&layer, nullptr, "rows came for a table that was never created in the target"};
  }
  const SteadyTime started = clock_.steady();
  LayerLoad load(session_, catalog, layer, entry->second, changed[oid]);
  try {
    load.apply();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    if (is_out_of_memory(error)) {
      return Fault{&largest(outcome, layer), nullptr, error.what()};
    }
    return Fault{&layer, load.reading(), error.what()};
  }
  changed[oid] = load.changes();
  TableLoad& total = outcome.loads[oid];
  add(total, layer);
  total.duration +=
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return std::nullopt;
}

/// What a transaction changed stays in memory until COMMIT: the table whose statement found none
/// left need not be the one that took it.
const StagedLayer& BatchLoad::largest(const BatchOutcome& outcome,
                                      const StagedLayer& failed) const {
  TableLoad own;
  if (const auto before = outcome.loads.find(failed.table->oid); before != outcome.loads.end()) {
    own = before->second;
  }
  add(own, failed);
  Oid oid = failed.table->oid;
  std::uint64_t most = own.stored_bytes;
  for (const auto& [other, load] : outcome.loads) {
    if (other != oid && load.stored_bytes > most) {
      oid = other;
      most = load.stored_bytes;
    }
  }
  return *std::ranges::find(batch_.layers, oid,
                            [](const StagedLayer& layer) { return layer.table->oid; });
}

void BatchLoad::leave_out(const Fault& fault) {
  const TableSchema& table = *fault.layer->table;
  SetAside& entry = failed_[table.oid];
  entry = {table.oid, table.name, fault.reason, batch_.span.from};
  // COMMIT of a transaction with a failed statement reports success and keeps nothing. After a bug
  // of its own DuckDB refuses this too: then the next try opens the file anew, without the table.
  session_.execute(sql("ROLLBACK"));
  if (fault.file != nullptr) {
    entry.reason = refused_values(session_, *fault.layer, *fault.file).value_or(entry.reason);
  }
}

StoredTable BatchLoad::current(Oid oid, const QualifiedName& name) const {
  if (const auto known = known_.find(oid); known != known_.end()) {
    return known->second;
  }
  StoredTable table;
  table.schema.oid = oid;
  table.schema.name = name;
  table.target = {schema_.empty() ? name.schema : schema_, name.name};
  return table;
}

void BatchLoad::record(const LoadRun& run, BatchOutcome& outcome) {
  for (const SetAside& entry : batch_.set_aside) {
    if (!failed_.contains(entry.oid)) {
      set_aside(entry, 0, outcome);
    }
  }
  for (const auto& [oid, entry] : failed_) {
    set_aside(entry, run.number, outcome);
    outcome.set_aside.push_back(entry);
  }
  std::vector<const StoredTable*> changed;
  for (const auto& [oid, table] : outcome.tables) {
    const auto known = known_.find(oid);
    // Most loads change rows, not shapes.
    if (known == known_.end() || known->second.schema != table.schema ||
        known->second.live != table.live) {
      changed.push_back(&table);
    }
  }
  std::vector<AppliedLoad> applied;
  for (const auto& [oid, load] : outcome.loads) {
    applied.push_back({&outcome.tables.at(oid).schema, &load});
  }
  ServiceTables service(session_);
  const SystemTime now = clock_.now();
  service.write(changed, now);
  service.write(run, applied, now);
}

void BatchLoad::set_aside(const SetAside& entry, std::uint64_t load, BatchOutcome& outcome) {
  const auto place = outcome.tables.try_emplace(entry.oid, current(entry.oid, entry.table)).first;
  if (StoredTable& table = place->second; table.live) {
    table.live = false;
    table.reason = entry.reason;
    table.position = entry.position;
    table.set_aside_load = load;
  }
}

}  // namespace re_dms::duckdb
