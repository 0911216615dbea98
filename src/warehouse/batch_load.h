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
#include "warehouse/load_checks.h"
#include "warehouse/service_tables.h"
#include "warehouse/target_tables.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// The tables that are named.
std::set<Oid> oids(const std::vector<SetAside>& set_aside);

/// Why tables could not be loaded in one transaction.
struct LoadFault {
  const StagedLayer* layer = nullptr;  ///< whose statement failed
  const StagedFile* file = nullptr;    ///< that was being read; may be null
  std::string reason;
  bool out_of_memory = false;  ///< whoever took it
  Remedy remedy = Remedy::Person;
};

/// Used for one try of a batch. What it is given by reference must outlive it.
class BatchLoad {
 public:
  /// `tries` belongs to the batch: when a try ends in an error, the next one leaves the tables that
  /// failed out from the start.
  BatchLoad(TargetTables& target, const WarehouseSettings& settings, const Clock& clock,
            const StagedBatch& batch, StoredTables known, BatchTries& tries);

  /// The tables that have yet to take the batch, in the order of their layers.
  std::vector<Oid> missing() const;

  /// Those of them that take more than a note of what is known of the table. A note is written down
  /// again in each try, and tells nothing of whether its table's loads pass.
  std::vector<Oid> missing_changes() const;

  /// Of these tables those of which the batch changes rows, and nothing that is known of them.
  std::vector<Oid> of_rows_only(const std::vector<Oid>& tables) const;

  /// Some of the tables, as they are now.
  StoredTables known(const std::vector<Oid>& tables) const;

  /// Leaves a transaction open in which all layers of these tables are applied. After a fault the
  /// transaction is rolled back. Throws Transient when the target fails.
  std::optional<LoadFault> apply(const std::vector<Oid>& tables);

  /// Whose statement was running when apply() threw; null: nobody's.
  const StagedLayer* at_work() const;

  /// One layer of each table that apply() was last called for, until that is committed.
  const std::vector<const StagedLayer*>& first_layers() const { return first_layers_; }

  /// Whether nothing changes of the table but what is known of it.
  bool only_stores(Oid oid) const;

  /// The table that the fault is about is left out from now on.
  void leave_out(const LoadFault& fault);

  /// Whether some table of the batch has taken more than a note of it, in an earlier transaction or
  /// try.
  bool any_taken() const;

  /// The tables of the open transaction.
  std::vector<Oid> in_transaction() const;

  /// Writes down, in the open transaction, what apply() did. The loaded position stays.
  void record_part(const LoadRun& run);

  /// The same for tables of which only rows change, in the tables of a lane.
  void record_in_lane(const LoadRun& run, int lane);

  /// Others have loaded these tables, which are so now.
  void loaded_elsewhere(StoredTables tables);

  /// The same in the batch's last transaction: those that failed are set aside, and so are those
  /// that the fold named. Tables that catch up stand at the batch's end, or are live.
  void record_last(const LoadRun& run);

  /// The transaction is committed.
  void committed();

  /// What was committed, by earlier tries too.
  LoadReport report() const;

  /// All tables as they are now.
  StoredTables take_known() { return std::move(known_); }

 private:
  LoadFault fault_of(const StagedLayer& layer, const Error& error) const;
  std::optional<LoadFault> apply_layer(const StagedLayer& layer);
  std::optional<LoadFault> apply_layers(const std::vector<const StagedLayer*>& layers);
  bool takes(Oid oid) const;
  bool holds(const StoredTable& table) const;
  bool held_before(const StagedLayer& layer) const;
  bool is_done(const StoredTable& table, const TableAt& before) const;
  bool joined_since(const SetAside& entry) const;
  void move_positions();
  StoredTable current(Oid oid, const QualifiedName& name) const;
  void drop_earlier_copies(const StoredTable& table, const QualifiedName& copy);
  void note_step(const StagedLayer& layer, StoredTable& table);
  void keep_columns(const StagedLayer& layer, StoredTable& table) const;
  void require_nothing_lost(const StagedLayer& layer, const StoredTable& table) const;
  void require_none_there(const StoredTable& table, std::vector<std::string> columns) const;
  bool keeps_table(const StagedLayer& layer);
  const StoredTable& present(const StoredTable& known) const;
  StoredTable kept(const StagedLayer& layer) const;
  bool is_known(const StoredTable& table, const StagedLayer& layer) const;
  static bool gave_name_away(const StoredTable& other, const QualifiedName& name);
  void take_name_over(const StagedLayer& layer, const StoredTable& table);
  QualifiedName final_name(const QualifiedName& name) const;
  bool stands_there(const StoredTable& table) const;
  std::vector<AppliedLoad> applied() const;
  void write_down(const LoadRun& run);
  void set_aside_who_gave_way(std::uint64_t load);
  void note_who_gave_way_before();
  void set_aside(const SetAside& entry, std::uint64_t load);

  TargetTables& target_;
  const WarehouseSettings& settings_;
  const Clock& clock_;
  const StagedBatch& batch_;
  StoredTables known_;
  BatchTries& tries_;
  FailedTables& failed_;          ///< of the tries
  const std::set<Oid> given_up_;  ///< by the fold, maybe after some of their layers were handed on
  std::set<Oid> changed_;         ///< by the batch, not only what is known of them
  std::vector<SetAside> set_aside_;
  std::vector<TableAt> took_part_;
  std::set<Oid> done_;    ///< committed
  std::set<Oid> loaded_;  ///< of the batch's tables those that hold their rows of it
  const StagedLayer* at_work_ = nullptr;
  std::vector<const StagedLayer*> first_layers_;
  // Of the open transaction.
  std::map<Oid, StoredTable> tables_;  ///< as they are now
  std::map<Oid, TableLoad> loads_;
  FailedTables gave_way_;  ///< whose names its copies take
};

}  // namespace re_dms
