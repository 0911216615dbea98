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

/// Whether the layer says only what is to be known of its table: that may be written again.
bool only_stores(const StagedLayer& layer) {
  return layer.counts.rows() == 0 && !layer.truncate &&
         std::ranges::all_of(layer.changes, [](const SchemaChange& change) {
           return std::holds_alternative<StoreSchema>(change);
         });
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
                     StoredTables known, std::string schema, FailedTables& failed)
    : session_(session),
      clock_(clock),
      batch_(batch),
      known_(std::move(known)),
      schema_(std::move(schema)),
      failed_(failed),
      given_up_(oids(batch.set_aside)) {}

std::vector<Oid> BatchLoad::missing() const {
  std::vector<Oid> tables;
  std::set<Oid> seen;
  for (const StagedLayer& layer : batch_.layers) {
    const Oid oid = layer.table->oid;
    const auto known = known_.find(oid);
    const bool skipped =
        done_.contains(oid) || given_up_.contains(oid) || failed_.contains(oid) ||
        (known != known_.end() &&
         (!known->second.live || (known->second.position >= batch_.span.to && !only_stores(oid))));
    if (!skipped && seen.insert(oid).second) {
      tables.push_back(oid);
    }
  }
  return tables;
}

bool BatchLoad::only_stores(Oid oid) const {
  return std::ranges::all_of(batch_.layers, [oid](const StagedLayer& layer) {
    return layer.table->oid != oid || duckdb::only_stores(layer);
  });
}

std::optional<LoadFault> BatchLoad::apply(const std::vector<Oid>& tables) {
  tables_.clear();
  loads_.clear();
  changed_.clear();
  session_.execute(sql("BEGIN TRANSACTION"));
  const std::set<Oid> wanted(tables.begin(), tables.end());
  TargetCatalog catalog(session_, std::max<std::size_t>(1, known_.size()));
  for (const StagedLayer& layer : batch_.layers) {
    if (!wanted.contains(layer.table->oid)) {
      continue;
    }
    if (auto fault = apply_layer(catalog, layer)) {
      // Noted first: after a bug of its own DuckDB refuses the ROLLBACK too, and then the next try
      // opens the file anew, without the table.
      if (!fault->out_of_memory) {
        failed_[layer.table->oid] = {layer.table->oid, layer.table->name, fault->reason, {}};
      }
      // COMMIT of a transaction with a failed statement reports success and keeps nothing.
      session_.execute(sql("ROLLBACK"));
      return fault;
    }
  }
  return std::nullopt;
}

std::optional<LoadFault> BatchLoad::apply_layer(TargetCatalog& catalog, const StagedLayer& layer) {
  const Oid oid = layer.table->oid;
  const auto known = known_.find(oid);
  const auto [entry, first] = tables_.try_emplace(oid, current(oid, layer.table->name));
  if (first && known == known_.end() && !creates_table(layer)) {
    return LoadFault{&layer, nullptr, "rows came for a table that was never created in the target"};
  }
  const SteadyTime started = clock_.steady();
  LayerLoad load(session_, catalog, layer, entry->second, changed_[oid]);
  try {
    load.apply();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return LoadFault{&layer, load.reading(), error.what(), is_out_of_memory(error)};
  }
  changed_[oid] = load.changes();
  TableLoad& total = loads_[oid];
  add(total, layer);
  total.duration +=
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return std::nullopt;
}

void BatchLoad::leave_out(const LoadFault& fault) {
  const TableSchema& table = *fault.layer->table;
  SetAside& entry = failed_[table.oid];
  entry = {table.oid, table.name, fault.reason, {}};
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

std::vector<Oid> BatchLoad::in_transaction() const {
  std::vector<Oid> tables;
  for (const auto& [oid, load] : loads_) {
    tables.push_back(oid);
  }
  return tables;
}

void BatchLoad::record_part(const LoadRun& run) {
  for (auto& [oid, table] : tables_) {
    table.position = batch_.span.to;
  }
  write_down(run);
  ServiceTables(session_).advance(in_transaction(), batch_.span.to);
}

void BatchLoad::record_last(const LoadRun& run) {
  set_aside_.clear();
  for (const SetAside& entry : batch_.set_aside) {
    if (!failed_.contains(entry.oid)) {
      set_aside(entry, 0);
    }
  }
  for (auto& [oid, entry] : failed_) {
    entry.position = std::max(batch_.span.from, current(oid, entry.table).position);
    set_aside(entry, run.number);
    set_aside_.push_back(entry);
  }
  write_down(run);
}

void BatchLoad::write_down(const LoadRun& run) {
  std::vector<const StoredTable*> changed;
  for (const auto& [oid, table] : tables_) {
    const auto known = known_.find(oid);
    // Most loads change rows, not shapes.
    if (known == known_.end() || known->second.schema != table.schema ||
        known->second.live != table.live) {
      changed.push_back(&table);
    }
  }
  std::vector<AppliedLoad> applied;
  for (const auto& [oid, load] : loads_) {
    applied.push_back({&tables_.at(oid).schema, &load});
  }
  ServiceTables service(session_);
  const SystemTime now = clock_.now();
  service.write(changed, now);
  service.write(run, applied, now);
}

void BatchLoad::set_aside(const SetAside& entry, std::uint64_t load) {
  const auto place = tables_.try_emplace(entry.oid, current(entry.oid, entry.table)).first;
  if (StoredTable& table = place->second; table.live) {
    table.live = false;
    table.reason = entry.reason;
    table.position = entry.position;
    table.set_aside_load = load;
  }
}

void BatchLoad::committed() {
  for (auto& [oid, table] : tables_) {
    known_.insert_or_assign(oid, std::move(table));
    done_.insert(oid);
  }
  tables_.clear();
  loads_.clear();
}

std::uint64_t BatchLoad::rows() const {
  std::uint64_t rows = 0;
  for (const StagedLayer& layer : batch_.layers) {
    const auto known = known_.find(layer.table->oid);
    if (known != known_.end() && known->second.live) {
      rows += layer.counts.rows();
    }
  }
  return rows;
}

}  // namespace re_dms::duckdb
