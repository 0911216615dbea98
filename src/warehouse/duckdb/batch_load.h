// Applies a staged batch in one transaction, table by table, without the tables that cannot take
// it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "model/staged_batch.h"
#include "warehouse/duckdb/service_tables.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"

namespace re_dms::duckdb {

/// What a batch changed, committed or about to be.
struct BatchOutcome {
  std::map<Oid, StoredTable> tables;  ///< those that were touched, as they are now
  std::map<Oid, TableLoad> loads;
  std::vector<SetAside> set_aside;  ///< tables that could not take the batch
};

/// The tables that are named.
std::set<Oid> oids(const std::vector<SetAside>& set_aside);

/// Tables that could not take a batch, by oid.
using FailedTables = std::map<Oid, SetAside>;

/// Used for one try of a batch. What it is given by reference must outlive it.
class BatchLoad {
 public:
  /// `schema` is the target schema of new tables; empty: the source's. `failed` gathers the tables
  /// that fail and belongs to the batch: when a try ends in an error, the next one leaves them out
  /// from the start.
  BatchLoad(Session& session, const Clock& clock, const StagedBatch& batch,
            const StoredTables& known, std::string schema, FailedTables& failed);

  /// Leaves a transaction open in which every layer is applied, tables that failed are set aside at
  /// the batch's start and those the fold set aside are recorded. Starts over without a table when
  /// it fails, so that the others are applied completely. Throws Transient when the target fails.
  BatchOutcome apply(const LoadRun& run);

 private:
  struct Fault {
    const StagedLayer* layer = nullptr;
    const StagedFile* file = nullptr;  ///< that was being read; may be null
    std::string reason;
  };

  std::variant<BatchOutcome, Fault> try_layers();
  std::optional<Fault> try_layer(TargetCatalog& catalog, const StagedLayer& layer,
                                 BatchOutcome& outcome, std::map<Oid, EarlierChanges>& changed);
  const StagedLayer& largest(const BatchOutcome& outcome, const StagedLayer& failed) const;
  void leave_out(const Fault& fault);
  StoredTable current(Oid oid, const QualifiedName& name) const;
  void record(const LoadRun& run, BatchOutcome& outcome);
  void set_aside(const SetAside& entry, std::uint64_t load, BatchOutcome& outcome);

  Session& session_;
  const Clock& clock_;
  const StagedBatch& batch_;
  const StoredTables& known_;
  const std::string schema_;
  FailedTables& failed_;
  const std::set<Oid> given_up_;  ///< by the fold, maybe after some of their layers were handed on
};

}  // namespace re_dms::duckdb
