// Reads and writes the daemon's own tables in the warehouse file.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/batch.h"
#include "model/origin.h"
#include "model/table_schema.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// Where the file stands.
struct StoredPosition {
  std::uint64_t epoch = 0;
  Lsn loaded;
  std::uint64_t loads = 0;  ///< number of the last load
};

/// A source table the file knows.
struct StoredTable {
  TableSchema schema;
  QualifiedName target;
  bool live = true;
  std::string reason;  ///< why it is not live
  /// What the table holds; of a live one, where the loaded position is not beyond it.
  Lsn position;
  std::uint64_t set_aside_load = 0;  ///< number of the load that set it aside; 0: none
};

using StoredTables = std::map<Oid, StoredTable>;

/// What one load did to one table.
struct TableLoad {
  LayerCounts counts;
  std::uint64_t stored_bytes = 0;
  std::chrono::microseconds duration{0};
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

/// Every call runs a few statements, in the session's transaction if one is open. Their number does
/// not depend on how many tables there are, except that long lists of rows are split.
class ServiceTables {
 public:
  explicit ServiceTables(Session& session) : session_(session) {}

  bool exist();
  /// In a file without them; the loaded position becomes origin.consistent_point.
  void create(const Origin& origin, SystemTime now);
  /// Throws Fatal when the file belongs to another slot or was made by a newer re_dms.
  void check_belongs_to(const Origin& origin);
  /// Brings a file that an older re_dms made to the present format.
  void migrate();
  /// Returns the new epoch, higher than any before.
  std::uint64_t raise_epoch(SystemTime now);

  /// Throws Fatal when the tables are not there.
  StoredPosition stored_position();
  StoredTables tables();

  /// Inserts or replaces what is known of these tables.
  void write(const std::vector<const StoredTable*>& tables, SystemTime now);
  void write(const LoadRun& run, const std::vector<AppliedLoad>& loads, SystemTime applied);
  void advance(const LoadRun& run, SystemTime now);
  /// These tables hold the batch already; the loaded position has yet to reach its end.
  void advance(const std::vector<Oid>& tables, Lsn to);

  /// Fills visible_at of loads up to number `last` that have none.
  void mark_visible(std::uint64_t last, SystemTime when);
  void forget_loads_before(SystemTime when);

 private:
  void insert(const Sql& table, const std::vector<Sql>& rows);

  Session& session_;
};

}  // namespace re_dms::duckdb
