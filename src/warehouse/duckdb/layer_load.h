// Applies one staged layer to its table, inside a transaction, and counts every row it touches.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/staged_batch.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"
#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

/// Used for one layer. Throws Table when the table cannot take it, after which the transaction can
/// only be rolled back. Everything it is given by reference must outlive it.
class LayerLoad {
 public:
  LayerLoad(Session& session, TargetCatalog& catalog, const StagedLayer& layer, StoredTable& table,
            EarlierChanges earlier);

  /// Schema changes, then the truncation, then deletes, updates and inserts; `table` is brought to
  /// the layer's shape.
  void apply();

  /// Whether rows were updated or deleted in this transaction, earlier ones included.
  EarlierChanges changes() const { return changes_; }

  /// Rows to be changed or deleted that were not there, of a table that may lack rows.
  std::uint64_t not_there() const { return not_there_; }

  /// The file whose rows were being read when apply() failed; null at other places.
  const StagedFile* reading() const { return reading_; }

 private:
  void change_shape();
  void expect_found(std::string_view done, std::uint64_t touched, std::uint64_t wanted);
  Sql target_for_rows() const;
  void insert_files(const Sql& into);
  void merge_files();
  std::uint64_t csv_bytes() const;
  bool is_read_each_time() const;
  bool is_update_of_one_row() const;
  void check_staged_counts();
  bool is_cheap_to_update();
  void hold_kept_columns();
  void delete_rows();
  void take_equal_rows();
  void update_rows();
  Sql is_written(std::size_t column) const;
  std::vector<Sql> assignments();
  void insert_rows();
  void insert_some(const Sql& into, const std::vector<Sql>& values, const Sql& from, const Sql& ops,
                   std::uint64_t wanted);
  Sql on_origin_key() const;
  Sql updated_ops() const;

  Session& session_;
  TargetCatalog& catalog_;
  const StagedLayer& layer_;
  StoredTable& table_;
  const std::vector<std::size_t> keys_;
  EarlierChanges changes_;
  bool update_replaced_ = false;   ///< replaced rows are updated, not deleted and inserted
  Sql staged_;                     ///< what the statements read the rows of a merge from
  std::vector<Sql> held_columns_;  ///< that rows keep which are deleted and inserted again
  const StagedFile* reading_ = nullptr;
  std::uint64_t not_there_ = 0;
};

}  // namespace re_dms::duckdb
