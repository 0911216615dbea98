// What a target knows of the tables that it holds, and of the loads that it took.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/batch.h"
#include "model/initial_copy.h"
#include "model/staged_batch.h"
#include "model/table_schema.h"
#include "model/table_state.h"
#include "warehouse/adjusted_rows.h"

namespace re_dms {

/// Where the target stands.
struct StoredPosition {
  std::uint64_t epoch = 0;
  Lsn loaded;
  std::uint64_t loads = 0;  ///< number of the last load
};

/// A source table the target knows.
struct StoredTable {
  TableSchema schema;  ///< without columns: the target has no such table yet
  QualifiedName target;
  TableState state = TableState::Live;
  std::string reason;  ///< why it is not live
  /// What the table holds; of a live one, where the loaded position is not beyond it. While it is
  /// copied: what the copy will hold.
  Lsn position;
  std::uint64_t set_aside_load = 0;  ///< number of the load that set it aside; 0: none
  /// Number of the last layer of the copy being built; of a table that is not copied: one that was
  /// given up may be there. 0: there is none.
  std::uint64_t copy_step = 0;
  InitialCopy initial_copy = InitialCopy::Auto;  ///< how the table that is there began

  /// Columns that the source dropped and the target keeps. Somebody may have dropped them there.
  std::vector<std::string> kept_columns{};

  /// Somebody wants the copy that it waits for, or gets: there is no doubt left to decide on.
  bool asked = false;

  /// Of a table that waits for a copy: not before a person says so, because it was followed and is
  /// in doubt. People see it as set aside.
  bool held_back = false;

  /// What the copy that was begun last is called, until it takes the table's place: the source's
  /// table may have another name by then. One that was given up may be there still.
  QualifiedName copy{};

  /// The table is more than ours: columns are found by name, and others may be there.
  bool is_kept() const { return initial_copy != InitialCopy::Auto; }

  /// Rows from before it began may be missing.
  bool may_lack_rows() const { return initial_copy == InitialCopy::Never; }

  bool operator==(const StoredTable&) const = default;
};

using StoredTables = std::map<Oid, StoredTable>;

/// What one load did to one table.
struct TableLoad {
  LayerCounts counts;
  std::uint64_t stored_bytes = 0;
  std::chrono::microseconds duration{0};
  TableAdjusted adjusted;
};

/// One table's share of a load.
struct AppliedLoad {
  const TableSchema* table = nullptr;
  const TableLoad* load = nullptr;
};

/// A load as its rows in re_dms_internal.loads share it.
struct LoadRun {
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
  BatchSpan span;
  SystemTime started;
};

}  // namespace re_dms
