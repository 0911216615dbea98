// What the transactions of a load write down beside the rows: positions, states, what was loaded.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "warehouse/batch_load.h"

namespace re_dms {

std::vector<Oid> BatchLoad::in_transaction() const {
  std::vector<Oid> tables;
  for (const auto& [oid, load] : loads_) {
    tables.push_back(oid);
  }
  return tables;
}

/// In the transaction that gives the name away: one that stays live without a table of its own
/// would have its next changes loaded into the other's.
void BatchLoad::set_aside_who_gave_way(std::uint64_t load) {
  for (const auto& [oid, entry] : gave_way_) {
    set_aside(entry, load);
    tries_.gave_way[oid] = entry;
  }
}

/// Earlier transactions, and tries whose COMMIT took place.
void BatchLoad::note_who_gave_way_before() {
  for (const auto& [oid, entry] : tries_.gave_way) {
    const auto known = known_.find(oid);
    if (known != known_.end() && !given_up_.contains(oid) &&
        known->second.state == state_after(entry.remedy) && known->second.reason == entry.reason) {
      set_aside_.push_back(entry);
      set_aside_.back().position = known->second.position;
    }
  }
}

void BatchLoad::record_part(const LoadRun& run) {
  set_aside_who_gave_way(run.number);
  write_down(run);
  if (batch_.kind != BatchKind::Copy) {
    ServiceTables(target_.session()).advance(in_transaction(), batch_.span.to);
    for (auto& [oid, table] : tables_) {
      table.position = batch_.span.to;
    }
  }
}

void BatchLoad::record_in_lane(const LoadRun& run, int lane) {
  ServiceTables(target_.session()).write(run, applied(), clock_.now(), lane_loads(lane));
  for (auto& [oid, table] : tables_) {
    RE_DMS_CHECK(table == known_.at(oid));
    table.position = batch_.span.to;
  }
}

/// Whether an earlier transaction or try of this batch has moved the table.
bool BatchLoad::is_done(const StoredTable& table, const TableAt& before) const {
  if (batch_.kind == BatchKind::Join) {
    return table.state == TableState::Live && table.position == before.position;
  }
  return table.state == TableState::CatchingUp && before.position < batch_.span.to &&
         table.position == batch_.span.to;
}

/// Whether the table was copied since the fold gave it up, and joined the others behind the batch:
/// a Join has no files, and may be loaded while the batch is still being staged. Then it stands
/// further than the fold knew.
bool BatchLoad::joined_since(const SetAside& entry) const {
  const auto known = known_.find(entry.oid);
  return batch_.kind == BatchKind::Stream && known != known_.end() &&
         known->second.state == TableState::Live && known->second.position >= batch_.span.to &&
         known->second.position > entry.position;
}

/// Of tables that catch up, also those that the batch has no rows of.
void BatchLoad::move_positions() {
  std::vector<Oid> moved;
  for (const TableAt& at : batch_.tables) {
    const auto known = known_.find(at.oid);
    if (known == known_.end() || failed_.contains(at.oid) || given_up_.contains(at.oid)) {
      continue;
    }
    if (is_done(known->second, at)) {
      took_part_.push_back(at);
      continue;
    }
    if (known->second.state != TableState::CatchingUp || known->second.position != at.position) {
      continue;
    }
    took_part_.push_back(at);
    StoredTable& table = tables_.try_emplace(at.oid, known->second).first->second;
    if (batch_.kind == BatchKind::Join) {
      table.state = TableState::Live;
      table.reason.clear();
      moved.push_back(at.oid);
    } else if (table.position < batch_.span.to) {
      table.position = batch_.span.to;
      moved.push_back(at.oid);
    }
  }
  ServiceTables service(target_.session());
  if (batch_.kind == BatchKind::Join) {
    service.make_live(moved, clock_.now());
  } else {
    service.advance(moved, batch_.span.to);
  }
}

void BatchLoad::record_last(const LoadRun& run) {
  set_aside_.clear();
  took_part_.clear();
  for (const SetAside& entry : batch_.set_aside) {
    if (!failed_.contains(entry.oid) && !gave_way_.contains(entry.oid) && !joined_since(entry)) {
      set_aside(entry, 0);
    }
  }
  note_who_gave_way_before();
  set_aside_who_gave_way(run.number);
  for (auto& [oid, entry] : failed_) {
    entry.position = std::max(batch_.span.from, current(oid, entry.table).position);
    set_aside(entry, run.number);
  }
  write_down(run);
  move_positions();
}

void BatchLoad::write_down(const LoadRun& run) {
  std::vector<const StoredTable*> changed;
  for (const auto& [oid, table] : tables_) {
    const auto known = known_.find(oid);
    // Most loads change rows, and nothing that is known of their tables.
    if (known == known_.end() || known->second != table) {
      changed.push_back(&table);
    }
  }
  const std::vector<AppliedLoad> loads = applied();
  ServiceTables service(target_.session());
  const SystemTime now = clock_.now();
  service.write(changed, now);
  service.write(run, loads, now);
  write_adjusted(target_.session(), run, loads, now);
}

std::vector<AppliedLoad> BatchLoad::applied() const {
  std::vector<AppliedLoad> loads;
  for (const auto& [oid, load] : loads_) {
    loads.push_back({&tables_.at(oid).schema, &load});
  }
  return loads;
}

}  // namespace re_dms
