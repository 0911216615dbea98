#include "warehouse/load_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/batch_load.h"

namespace re_dms {

bool is_held_back(const WarehouseSettings& settings, const QualifiedName& table) {
  return settings.holds_back && settings.holds_back(table);
}

void require_epoch(const StoredPosition& stored, std::uint64_t ours) {
  if (stored.epoch != ours) {
    throw Error(ErrorKind::Fatal,
                fmt::format("another re_dms took over the warehouse (epoch {}, ours is {})",
                            stored.epoch, ours),
                "Let only one daemon run per slot");
  }
}

bool is_loaded(const StagedBatch& batch, const StoredPosition& stored) {
  if (batch.kind != BatchKind::Stream) {
    return false;
  }
  const BatchSpan& span = batch.span;
  if (stored.loaded == span.to && span.from != span.to) {
    return true;
  }
  if (stored.loaded != span.from) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the warehouse is loaded up to {}, but the batch starts at {}",
                            stored.loaded, span.from),
                "Restart re_dms: it continues where the warehouse stands");
  }
  return false;
}

void find_gaps(const StagedBatch& batch, const StoredTables& known, FailedTables& failed) {
  for (const TableAt& at : batch.tables) {
    const auto table = known.find(at.oid);
    if (table != known.end() && table->second.state == TableState::CatchingUp &&
        table->second.position < at.position) {
      failed[at.oid] = {at.oid, table->second.schema.name,
                        fmt::format("it is loaded up to {}, but its changes are there from {} on",
                                    table->second.position, at.position),
                        table->second.position, Remedy::Copy};
    }
  }
}

LoadReport report_of(const StagedBatch& batch, std::set<Oid> loaded, const BatchTries& tries) {
  LoadReport report;
  std::map<Oid, TableAdjusted> adjusted;
  std::map<Oid, QualifiedName> names;
  for (const StagedLayer& layer : batch.layers) {
    const Oid oid = layer.table->oid;
    if (loaded.contains(oid)) {
      report.rows += layer.counts.rows();
      add(adjusted[oid], layer, batch.span.to);
      names[oid] = layer.table->name;
    }
  }
  for (const auto& [oid, table] : adjusted) {
    for (const AdjustedTotal& total : table.totals) {
      report.adjusted.push_back({names.at(oid), total.column, total.reason, total.values});
    }
  }
  for (const auto& [oid, rows] : tries.not_there) {
    if (loaded.contains(oid)) {
      report.not_there.push_back(rows);
    }
  }
  report.loaded = std::move(loaded);
  return report;
}

LoadReport report_again(const StagedBatch& batch, const StoredPosition& stored,
                        const StoredTables& known, const BatchTries& tries) {
  std::vector<SetAside> set_aside;
  for (const auto& [oid, table] : known) {
    const bool left = has_left(table.state);
    const bool named = std::ranges::any_of(batch.set_aside, [&](const SetAside& entry) {
      return entry.oid == oid && entry.reason == table.reason;
    });
    if (left && (named || table.set_aside_load == stored.loads)) {
      set_aside.push_back(
          {oid, table.schema.name, table.reason, table.position, remedy_of(table.state)});
    }
  }
  const std::set<Oid> given_up = oids(batch.set_aside);
  std::set<Oid> loaded;
  for (const StagedLayer& layer : batch.layers) {
    const Oid oid = layer.table->oid;
    const auto table = known.find(oid);
    const bool took_part = table != known.end() && table->second.state == TableState::Live;
    if (took_part && !given_up.contains(oid)) {
      loaded.insert(oid);
    }
  }
  LoadReport report = report_of(batch, std::move(loaded), tries);
  report.set_aside = std::move(set_aside);
  return report;
}

Lsn furthest(const StoredPosition& stored, const StoredTables& known) {
  Lsn position = stored.loaded;
  for (const auto& [oid, table] : known) {
    position = std::max(position, table.state == TableState::Live ? table.position : Lsn{});
  }
  return position;
}

TargetTable target_table(const StoredTable& table, Lsn loaded) {
  const bool live = table.state == TableState::Live;
  return {table.schema,       table.state,
          table.reason,       live ? std::max(loaded, table.position) : table.position,
          table.initial_copy, table.asked};
}

TargetState target_state(const StoredPosition& stored, const StoredTables& known) {
  TargetState state{stored.epoch, stored.loaded, {}};
  for (const auto& [oid, table] : known) {
    state.tables.push_back(target_table(table, stored.loaded));
  }
  return state;
}

}  // namespace re_dms
