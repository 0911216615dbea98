// Applies a layer's rows, copied into a temporary table, to the target's table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/staged_batch.h"
#include "warehouse/redshift/session.h"
#include "warehouse/stored_table.h"

namespace re_dms::redshift {

/// Used for one layer, in a transaction. What it is given by reference must outlive it.
class LayerMerge {
 public:
  /// `staged` is the temporary table.
  LayerMerge(Session& session, const StagedLayer& layer, const StoredTable& table, Sql staged);

  /// Deletes, one update for all changed rows, inserts. Throws NotTheCopy where a statement touches
  /// other rows than were staged for it, except of a table that may lack rows: gives how many were
  /// not there.
  std::uint64_t apply();

 private:
  void expect_found(std::string_view done, std::uint64_t touched, std::uint64_t wanted);
  Sql on_origin_key() const;
  bool updates_replaced() const;
  void delete_rows();
  void update_rows();
  void take_equal_rows();
  void insert_rows();

  Session& session_;
  const StagedLayer& layer_;
  const StoredTable& table_;
  const Sql staged_;
  const Sql target_;
  const Sql name_;  ///< of the target in expressions, which take no schema
  const std::vector<std::size_t> keys_;
  std::uint64_t not_there_ = 0;
};

}  // namespace re_dms::redshift
