#include "warehouse/batch_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace re_dms {

namespace {

/// Whether a batch of this kind is for tables of this state.
bool suits(BatchKind kind, TableState state) {
  switch (kind) {
    case BatchKind::Stream:
      return state == TableState::Live;
    case BatchKind::Copy:
      return state == TableState::Waiting || state == TableState::Copying;
    case BatchKind::CatchUp:
    case BatchKind::Join:
      return state == TableState::CatchingUp;
  }
  return false;
}

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

void add(TableLoad& load, const StagedLayer& layer, Lsn below) {
  load.counts.inserts += layer.counts.inserts;
  load.counts.replaces += layer.counts.replaces;
  load.counts.updates += layer.counts.updates;
  load.counts.deletes += layer.counts.deletes;
  for (const StagedFile& file : layer.files) {
    load.stored_bytes += file.stored_bytes;
  }
  add(load.adjusted, layer, below);
}

}  // namespace

std::set<Oid> oids(const std::vector<SetAside>& set_aside) {
  std::set<Oid> result;
  for (const SetAside& entry : set_aside) {
    result.insert(entry.oid);
  }
  return result;
}

BatchLoad::BatchLoad(TargetTables& target, const WarehouseSettings& settings, const Clock& clock,
                     const StagedBatch& batch, StoredTables known, BatchTries& tries)
    : target_(target),
      settings_(settings),
      clock_(clock),
      batch_(batch),
      known_(std::move(known)),
      tries_(tries),
      failed_(tries.failed),
      given_up_(oids(batch.set_aside)) {
  for (const StagedLayer& layer : batch_.layers) {
    const TableSchema& table = *layer.table;
    // Of a copy without rows the table is made.
    if (batch_.kind == BatchKind::Copy || !re_dms::only_stores(layer)) {
      changed_.insert(table.oid);
    }
  }
  for (const StagedLayer& layer : batch_.layers) {
    const TableSchema& table = *layer.table;
    // Before the layer's table takes any of its layers.
    if (auto refused = takes(table.oid) ? refusal(layer) : std::nullopt) {
      failed_[table.oid] = {table.oid, table.name, std::move(refused->reason), {}, refused->remedy};
    }
    if (held_before(layer)) {
      loaded_.insert(table.oid);
    }
  }
}

std::vector<Oid> BatchLoad::missing() const {
  std::vector<Oid> tables;
  std::set<Oid> seen;
  for (const StagedLayer& layer : batch_.layers) {
    const Oid oid = layer.table->oid;
    if (takes(oid) && seen.insert(oid).second) {
      tables.push_back(oid);
    }
  }
  return tables;
}

std::vector<Oid> BatchLoad::missing_changes() const {
  std::vector<Oid> tables = missing();
  std::erase_if(tables, [this](Oid oid) { return only_stores(oid); });
  return tables;
}

std::vector<Oid> BatchLoad::of_rows_only(const std::vector<Oid>& tables) const {
  std::set<Oid> rows_only;
  if (batch_.kind == BatchKind::Stream) {
    rows_only.insert(tables.begin(), tables.end());
  }
  for (const StagedLayer& layer : batch_.layers) {
    const auto known = known_.find(layer.table->oid);
    const bool adjusted = std::ranges::any_of(
        layer.files, [](const StagedFile& file) { return !file.adjusted.counts.empty(); });
    if (known == known_.end() || !layer.changes.empty() || adjusted ||
        known->second.schema != *layer.table) {
      rows_only.erase(layer.table->oid);
    }
  }
  std::vector<Oid> result;
  std::ranges::copy_if(tables, std::back_inserter(result),
                       [&](Oid oid) { return rows_only.contains(oid); });
  return result;
}

StoredTables BatchLoad::known(const std::vector<Oid>& tables) const {
  StoredTables result;
  for (const Oid oid : tables) {
    result.emplace(oid, known_.at(oid));
  }
  return result;
}

bool BatchLoad::takes(Oid oid) const {
  if (done_.contains(oid) || given_up_.contains(oid) || failed_.contains(oid) ||
      tries_.gave_way.contains(oid)) {
    return false;
  }
  const auto known = known_.find(oid);
  if (known == known_.end()) {
    return batch_.kind == BatchKind::Stream;
  }
  return suits(batch_.kind, known->second.state) && stands_there(known->second) &&
         !holds(known->second);
}

/// Of a table that catches up: whether it is the copy that the batch is about. One that was copied
/// anew since, or has the batch already, is further.
bool BatchLoad::stands_there(const StoredTable& table) const {
  if (batch_.kind != BatchKind::CatchUp && batch_.kind != BatchKind::Join) {
    return true;
  }
  const auto named = std::ranges::find(batch_.tables, table.schema.oid, &TableAt::oid);
  return named != batch_.tables.end() && named->position == table.position;
}

/// Whether the table holds the batch already.
bool BatchLoad::holds(const StoredTable& table) const {
  const Oid oid = table.schema.oid;
  if (batch_.kind != BatchKind::Copy) {
    return table.position >= batch_.span.to && !only_stores(oid);
  }
  const auto of_table = [oid](const StagedLayer& layer) { return layer.table->oid == oid; };
  const CopyStep& first = *std::ranges::find_if(batch_.layers, of_table)->copy;
  if (first.position != table.position || table.state == TableState::Waiting) {
    // Of a copy that is to begin; else of one that another has replaced.
    return first.number != 1 || first.position < table.position;
  }
  return first.number <= table.copy_step;
}

/// Whether a transaction of an earlier try has loaded the layer.
bool BatchLoad::held_before(const StagedLayer& layer) const {
  const Oid oid = layer.table->oid;
  const auto known = known_.find(oid);
  if (known == known_.end() || given_up_.contains(oid) || failed_.contains(oid)) {
    return false;
  }
  const StoredTable& table = known->second;
  if (batch_.kind == BatchKind::Copy) {
    const bool ended = table.state == TableState::CatchingUp && layer.copy->last;
    return layer.copy->position == table.position &&
           (ended || (table.state == TableState::Copying && layer.copy->number <= table.copy_step));
  }
  if (batch_.kind == BatchKind::Stream) {
    return table.state == TableState::Live && table.position == batch_.span.to;
  }
  const auto at = std::ranges::find(batch_.tables, oid, &TableAt::oid);
  return at != batch_.tables.end() && is_done(table, *at);
}

bool BatchLoad::only_stores(Oid oid) const {
  return !changed_.contains(oid);
}

std::optional<LoadFault> BatchLoad::apply(const std::vector<Oid>& tables) {
  tables_.clear();
  loads_.clear();
  gave_way_.clear();
  at_work_ = nullptr;
  first_layers_.clear();
  const std::set<Oid> wanted(tables.begin(), tables.end());
  std::set<Oid> to_be_seen = wanted;
  std::erase_if(tries_.not_there, [&](const auto& table) { return wanted.contains(table.first); });
  std::vector<const StagedLayer*> layers;
  for (const StagedLayer& layer : batch_.layers) {
    const Oid oid = layer.table->oid;
    if (wanted.contains(oid)) {
      layers.push_back(&layer);
    }
    if (to_be_seen.erase(oid) > 0) {
      first_layers_.push_back(&layer);
    }
  }
  auto fault = apply_layers(layers);
  if (fault) {
    // Noted first: after a bug of its own DuckDB refuses the ROLLBACK too, and then the next try
    // opens the file anew, without the table.
    if (const TableSchema& table = *fault->layer->table; !fault->out_of_memory) {
      failed_[table.oid] = {table.oid, table.name, fault->reason, {}, fault->remedy};
    }
    // COMMIT of a transaction with a failed statement reports success and keeps nothing.
    target_.roll_back();
  }
  return fault;
}

std::optional<LoadFault> BatchLoad::apply_layers(const std::vector<const StagedLayer*>& layers) {
  std::vector<QualifiedName> targets;
  for (const StagedLayer* layer : layers) {
    const TableSchema& table = *layer->table;
    targets.push_back(layer->copy ? target_.copy_name(final_name(table.name), table.oid)
                                  : current(table.oid, table.name).target);
  }
  try {
    target_.begin(layers, targets, known_.size());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table || target_.staging() == nullptr) {
      throw;
    }
    return fault_of(*target_.staging(), error);
  }
  for (const StagedLayer* layer : layers) {
    at_work_ = layer;
    if (auto fault = apply_layer(*layer)) {
      return fault;
    }
  }
  at_work_ = nullptr;
  return std::nullopt;
}

const StagedLayer* BatchLoad::at_work() const {
  return target_.staging() != nullptr ? target_.staging() : at_work_;
}

bool BatchLoad::any_taken() const {
  return std::ranges::any_of(batch_.layers, [this](const StagedLayer& layer) {
    const Oid oid = layer.table->oid;
    const auto known = known_.find(oid);
    if (only_stores(oid)) {
      return false;
    }
    if (done_.contains(oid) || known == known_.end()) {
      return done_.contains(oid);
    }
    // A copy that is complete is in the table's place.
    const TableState state = known->second.state;
    return suits(batch_.kind, state)
               ? holds(known->second)
               : batch_.kind == BatchKind::Copy && suits(BatchKind::CatchUp, state);
  });
}

LoadFault BatchLoad::fault_of(const StagedLayer& layer, const Error& error) const {
  const bool not_the_copy = dynamic_cast<const NotTheCopy*>(&error) != nullptr;
  return {&layer, target_.reading(), error.what(), target_.is_out_of_memory(error),
          not_the_copy && !layer.copy ? Remedy::Copy : Remedy::Person};
}

std::optional<LoadFault> BatchLoad::apply_layer(const StagedLayer& layer) {
  const Oid oid = layer.table->oid;
  const auto known = known_.find(oid);
  const auto [entry, first] = tables_.try_emplace(oid, current(oid, layer.table->name));
  if (first && known == known_.end() && !creates_table(layer)) {
    return LoadFault{&layer, nullptr, "rows came for a table that was never created in the target",
                     false, Remedy::Copy};
  }
  const SteadyTime started = clock_.steady();
  StoredTable& table = entry->second;
  StoredTable beside = table;
  if (layer.copy) {
    beside.target = target_.copy_name(final_name(layer.table->name), oid);
    beside.schema = *layer.table;
    beside.initial_copy = InitialCopy::Auto;
    beside.kept_columns.clear();
  }
  std::uint64_t not_there = 0;
  try {
    if (layer.copy && layer.copy->number == 1) {
      drop_earlier_copies(table, beside.target);
      // Sooner than after all rows.
      require_nothing_lost(layer, table);
      if (keeps_table(layer)) {
        target_.require_fit(kept(layer), is_known(table, layer));
      }
    }
    if (!layer.copy) {
      keep_columns(layer, table);
    }
    not_there = target_.apply(layer, layer.copy ? beside : table);
    if (layer.copy) {
      note_step(layer, table);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return fault_of(layer, error);
  }
  TableLoad& total = loads_[oid];
  add(total, layer, layer.copy ? layer.copy->position : batch_.span.to);
  if (not_there > 0) {
    RowsNotThere& rows = tries_.not_there[oid];
    rows.table = layer.table->name;
    rows.rows += not_there;
  }
  total.duration +=
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - started);
  return std::nullopt;
}

void BatchLoad::leave_out(const LoadFault& fault) {
  const TableSchema& table = *fault.layer->table;
  SetAside& entry = failed_[table.oid];
  entry = {table.oid, table.name, fault.reason, {}, fault.remedy};
  if (fault.file != nullptr) {
    if (auto refused = target_.refused_values(*fault.layer, *fault.file)) {
      entry.reason = *std::move(refused);
      entry.remedy = Remedy::Person;
    }
  }
}

/// Where the source's table of this name is in the target.
QualifiedName BatchLoad::final_name(const QualifiedName& name) const {
  return {settings_.schema.empty() ? name.schema : settings_.schema, name.name};
}

StoredTable BatchLoad::current(Oid oid, const QualifiedName& name) const {
  if (const auto known = known_.find(oid); known != known_.end()) {
    return known->second;
  }
  StoredTable table;
  table.schema.oid = oid;
  table.schema.name = name;
  table.target = final_name(name);
  return table;
}

void BatchLoad::loaded_elsewhere(StoredTables tables) {
  for (auto& [oid, table] : tables) {
    done_.insert(oid);
    loaded_.insert(oid);
    known_.insert_or_assign(oid, std::move(table));
  }
}

/// Nothing happens where the table is in a state that this batch is not about: others care for it.
void BatchLoad::set_aside(const SetAside& entry, std::uint64_t load) {
  const TableState wanted = state_after(entry.remedy);
  const auto known = known_.find(entry.oid);
  // A copy took the name of a table that is followed, or nobody asks for it any more. One whose own
  // load failed may have been paused since that try.
  const bool of_its_load = failed_.contains(entry.oid) && !gave_way_.contains(entry.oid);
  const bool anyway =
      batch_.kind == BatchKind::Copy && entry.remedy != Remedy::Person && !of_its_load;
  if (known != known_.end() && !anyway && !suits(batch_.kind, known->second.state)) {
    if (known->second.state == wanted && known->second.reason == entry.reason) {
      // An earlier try of this batch did it.
      set_aside_.push_back(entry);
      set_aside_.back().position = known->second.position;
    }
    return;
  }
  StoredTable& table =
      tables_.try_emplace(entry.oid, current(entry.oid, entry.table)).first->second;
  if (table.state == TableState::Copying &&
      target_.give_copy_up(copy_of(target_, settings_.schema, table), entry.oid)) {
    table.copy_step = 0;
  }
  const bool in_doubt =
      known != known_.end() && is_followed(known->second.state) && wanted == TableState::Waiting;
  table.held_back = in_doubt && is_held_back(settings_, entry.table);
  // A copy that is void is begun again for the same reason.
  const bool goes_on = suits(BatchKind::Copy, table.state) && wanted == TableState::Waiting;
  table.asked = table.asked && goes_on;
  table.state = wanted;
  table.reason = entry.reason;
  // Of a copy that is not complete it holds nothing.
  table.position =
      batch_.kind == BatchKind::Copy ? Lsn{} : std::max(table.position, entry.position);
  table.set_aside_load = load;
  set_aside_.push_back(entry);
  set_aside_.back().position = table.position;
}

void BatchLoad::committed() {
  for (const auto& [oid, load] : loads_) {
    loaded_.insert(oid);
    done_.insert(oid);
  }
  // Some lost no more than their names in it.
  for (auto& [oid, table] : tables_) {
    known_.insert_or_assign(oid, std::move(table));
  }
  tables_.clear();
  loads_.clear();
  gave_way_.clear();
  first_layers_.clear();
}

LoadReport BatchLoad::report() const {
  LoadReport report = report_of(batch_, loaded_, tries_);
  report.set_aside = set_aside_;
  report.tables = took_part_;
  return report;
}

}  // namespace re_dms
