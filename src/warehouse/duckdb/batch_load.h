// Applies a staged batch table by table, in one transaction or in several, without the tables that
// cannot take it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/staged_batch.h"
#include "warehouse/duckdb/service_tables.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"

namespace re_dms::duckdb {

/// The tables that are named.
std::set<Oid> oids(const std::vector<SetAside>& set_aside);

/// Tables that could not take a batch, by oid.
using FailedTables = std::map<Oid, SetAside>;

/// Why tables could not be loaded in one transaction.
struct LoadFault {
  const StagedLayer* layer = nullptr;  ///< whose statement failed
  const StagedFile* file = nullptr;    ///< that was being read; may be null
  std::string reason;
  bool out_of_memory = false;  ///< whoever took it
};

/// Used for one try of a batch. What it is given by reference must outlive it.
class BatchLoad {
 public:
  /// `schema` is the target schema of new tables; empty: the source's. `failed` gathers the tables
  /// that fail and belongs to the batch: when a try ends in an error, the next one leaves them out
  /// from the start.
  BatchLoad(Session& session, const Clock& clock, const StagedBatch& batch, StoredTables known,
            std::string schema, FailedTables& failed);

  /// The tables that have yet to take the batch, in the order of their layers.
  std::vector<Oid> missing() const;

  /// Leaves a transaction open in which all layers of these tables are applied. After a fault the
  /// transaction is rolled back. Throws Transient when the target fails.
  std::optional<LoadFault> apply(const std::vector<Oid>& tables);

  /// The table that the fault is about is left out from now on.
  void leave_out(const LoadFault& fault);

  /// The tables of the open transaction.
  std::vector<Oid> in_transaction() const;

  /// Writes down, in the open transaction, what apply() did. The loaded position stays.
  void record_part(const LoadRun& run);

  /// The same in the batch's last transaction: those that failed are set aside, and so are those
  /// that the fold named.
  void record_last(const LoadRun& run);

  /// The transaction is committed.
  void committed();

  /// Staged rows of the tables that hold the batch.
  std::uint64_t rows() const;

  /// Tables that could not take the batch.
  const std::vector<SetAside>& set_aside() const { return set_aside_; }

  /// All tables as they are now.
  StoredTables take_known() { return std::move(known_); }

 private:
  std::optional<LoadFault> apply_layer(TargetCatalog& catalog, const StagedLayer& layer);
  bool only_stores(Oid oid) const;
  StoredTable current(Oid oid, const QualifiedName& name) const;
  void write_down(const LoadRun& run);
  void set_aside(const SetAside& entry, std::uint64_t load);

  Session& session_;
  const Clock& clock_;
  const StagedBatch& batch_;
  StoredTables known_;
  const std::string schema_;
  FailedTables& failed_;
  const std::set<Oid> given_up_;  ///< by the fold, maybe after some of their layers were handed on
  std::vector<SetAside> set_aside_;
  std::set<Oid> done_;  ///< committed
  // Of the open transaction.
  std::map<Oid, StoredTable> tables_;  ///< as they are now
  std::map<Oid, TableLoad> loads_;
  std::map<Oid, EarlierChanges> changed_;
};

}  // namespace re_dms::duckdb
