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

BatchLoad::BatchLoad(Session& session, const Clock& clock, const StagedBatch& batch,
                     const KnownTables& known, std::string schema, FailedTables& failed)
    : session_(session),
      clock_(clock),
      batch_(batch),
      known_(known),
      schema_(std::move(schema)),
      failed_(failed) {}

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
  for (const StagedLayer& layer : batch_.layers) {
    if (auto fault = try_layer(layer, outcome, changed)) {
      return std::move(*fault);
    }
  }
  return outcome;
}

std::optional<BatchLoad::Fault> BatchLoad::try_layer(const StagedLayer& layer,
                                                     BatchOutcome& outcome,
                                                     std::map<Oid, EarlierChanges>& changed) {
  const Oid oid = layer.table->oid;
  const auto known = known_.find(oid);
  // The fold may set a table aside after some of its layers were handed on: they are void.
  const bool given_up = std::ranges::any_of(
      batch_.set_aside, [&](const SetAside& entry) { return entry.oid == oid; });
  if (given_up || failed_.contains(oid) || (known != known_.end() && !known->second.live)) {
    return std::nullopt;
  }
  const auto [entry, first] = outcome.tables.try_emplace(oid, current(oid, layer.table->name));
  if (first && known == known_.end() && !creates_table(layer)) {
    return Fault{&layer, nullptr, "rows came for a table that was never created in the target"};
  }
  const SteadyTime started = clock_.steady();
  LayerLoad load(session_, layer, entry->second, changed[oid]);
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

KnownTable BatchLoad::current(Oid oid, const QualifiedName& name) const {
  if (const auto known = known_.find(oid); known != known_.end()) {
    return known->second;
  }
  KnownTable table;
  table.schema.oid = oid;
  table.schema.name = name;
  table.target = {schema_.empty() ? name.schema : schema_, name.name};
  return table;
}

void BatchLoad::record(const LoadRun& run, BatchOutcome& outcome) {
  std::vector<SetAside> leaving = batch_.set_aside;
  for (const auto& [oid, entry] : failed_) {
    std::erase_if(leaving, [&](const SetAside& other) { return other.oid == entry.oid; });
    leaving.push_back(entry);
    outcome.set_aside.push_back(entry);
  }
  for (const SetAside& entry : leaving) {
    const auto place = outcome.tables.try_emplace(entry.oid, current(entry.oid, entry.table)).first;
    KnownTable& table = place->second;
    if (table.live) {
      table.live = false;
      table.reason = entry.reason;
      table.position = entry.position;
      table.set_aside_load = failed_.contains(entry.oid) ? run.number : 0;
    }
  }
  ServiceTables service(session_);
  const SystemTime now = clock_.now();
  for (const auto& [oid, table] : outcome.tables) {
    const auto known = known_.find(oid);
    // Most loads change rows, not shapes.
    if (known == known_.end() || known->second.schema != table.schema ||
        known->second.live != table.live) {
      service.write(table, now);
    }
  }
  for (const auto& [oid, load] : outcome.loads) {
    service.write(run, outcome.tables.at(oid).schema, load, now);
  }
}

}  // namespace re_dms::duckdb
