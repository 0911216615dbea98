// What every engine looks at before and after it loads a batch.
#pragma once

#include <map>
#include <set>

#include "model/staged_batch.h"
#include "warehouse/service_tables.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// Tables that could not take a batch, by oid.
using FailedTables = std::map<Oid, SetAside>;

/// What the tries of one batch have shown; what a try wrote before its COMMIT is true if that took
/// place, also where its answer was lost.
struct BatchTries {
  FailedTables failed;
  /// Those whose names copies took; what a try wrote of that the target may not have.
  FailedTables gave_way{};
  std::map<Oid, RowsNotThere> not_there;
};

/// Whether a table that was followed and is in doubt waits for a person, and not for a copy.
bool is_held_back(const WarehouseSettings& settings, const QualifiedName& table);

/// Throws Fatal where another daemon took the target over.
void require_epoch(const StoredPosition& stored, std::uint64_t ours);

/// Whether the target holds the batch already; throws Fatal where it is not to be loaded next. A
/// batch that does not move the loaded position is neither.
bool is_loaded(const StagedBatch& batch, const StoredPosition& stored);

/// A table that stands before the place where changes of it begin lacks those in between.
void find_gaps(const StagedBatch& batch, const StoredTables& known, FailedTables& failed);

/// What these tables, which hold the batch, got by it.
LoadReport report_of(const StagedBatch& batch, std::set<Oid> loaded, const BatchTries& tries);

/// What a load that is done already says again: a COMMIT took place although its answer was lost.
LoadReport report_again(const StagedBatch& batch, const StoredPosition& stored,
                        const StoredTables& known, const BatchTries& tries);

/// How far any table is loaded.
Lsn furthest(const StoredPosition& stored, const StoredTables& known);

TargetTable target_table(const StoredTable& table, Lsn loaded);
TargetState target_state(const StoredPosition& stored, const StoredTables& known);

}  // namespace re_dms
