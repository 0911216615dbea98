#include "warehouse/load_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "warehouse/batch_load.h"

namespace re_dms {

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

LoadReport report_again(const StagedBatch& batch, const StoredPosition& stored,
                        const StoredTables& known) {
  LoadReport report;
  for (const auto& [oid, table] : known) {
    const bool left = has_left(table.state);
    const bool named = std::ranges::any_of(batch.set_aside, [&](const SetAside& entry) {
      return entry.oid == oid && entry.reason == table.reason;
    });
    if (left && (named || table.set_aside_load == stored.loads)) {
      report.set_aside.push_back(
          {oid, table.schema.name, table.reason, table.position, remedy_of(table.state)});
    }
  }
  std::set<Oid> left_out = oids(batch.set_aside);
  left_out.merge(oids(report.set_aside));
  for (const StagedLayer& layer : batch.layers) {
    report.rows += left_out.contains(layer.table->oid) ? 0 : layer.counts.rows();
  }
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
  return {table.schema, table.state, table.reason,
          live ? std::max(loaded, table.position) : table.position, table.initial_copy};
}

TargetState target_state(const StoredPosition& stored, const StoredTables& known) {
  TargetState state{stored.epoch, stored.loaded, {}};
  for (const auto& [oid, table] : known) {
    state.tables.push_back(target_table(table, stored.loaded));
  }
  return state;
}

}  // namespace re_dms
