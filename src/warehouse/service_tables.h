// Reads and writes the daemon's own tables in the target.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/origin.h"
#include "warehouse/sql_session.h"
#include "warehouse/stored_table.h"

namespace re_dms {

/// Counts up with every change of the service tables. A target of a higher number is refused, one
/// of a lower number is migrated by take_over.
inline constexpr int kServiceFormat = 6;

/// The service table in which a lane writes what it loaded, as `loads` does for the others. Of a
/// load that is not over its rows say how far their tables are.
Sql lane_loads(int lane);

/// Puts rows into a service table, in statements of a few hundred rows and a few megabytes.
void insert_rows(SqlSession& session, const Sql& table, const std::vector<Sql>& rows);

/// Every call runs a few statements, in the session's transaction if one is open. Their number does
/// not depend on how many tables there are, except that long lists of rows are split.
class ServiceTables {
 public:
  explicit ServiceTables(SqlSession& session) : session_(session) {}

  bool exist();
  /// In a target without them, by the engine's statements; the loaded position becomes
  /// origin.consistent_point.
  void create(const std::vector<Sql>& schema, const Origin& origin, SystemTime now);
  /// Throws Fatal when the target belongs to another slot or was made by a newer re_dms.
  void check_belongs_to(const Origin& origin);
  /// Brings a target that an older re_dms made to the present format, by the engine's statements.
  void migrate(const std::vector<Sql>& steps);
  /// Returns the new epoch, higher than any before.
  std::uint64_t raise_epoch(SystemTime now);

  /// Throws Fatal when the tables are not there.
  StoredPosition stored_position();
  /// The same while a load holds the fence, which has the epoch: given as `epoch`.
  StoredPosition position(std::uint64_t epoch);
  StoredTables tables();

  /// Inserts or replaces what is known of these tables.
  void write(const std::vector<const StoredTable*>& tables, SystemTime now);
  void write(const LoadRun& run, const std::vector<AppliedLoad>& loads, SystemTime applied,
             const Sql& into = sql("loads"));
  void advance(const LoadRun& run, SystemTime now);
  /// Writes, and changes nothing.
  void touch();
  /// A load that leaves the loaded position where it is.
  void count(const LoadRun& run);
  /// These tables hold the batch already; the loaded position has yet to reach its end.
  void advance(const std::vector<Oid>& tables, Lsn to);
  /// What lanes loaded of a load that is over before its end becomes the position of its tables.
  void settle_lanes();
  /// No copy of the table is there.
  void forget_copy(Oid table);
  void make_live(const std::vector<Oid>& tables, SystemTime now);

  /// Fills visible_at of loads up to number `last` that have none.
  void mark_visible(std::uint64_t last, SystemTime when);
  void forget_loads_before(SystemTime when);

 private:
  Sql text(std::string_view value) const { return session_.text(value); }

  bool are_missing();
  std::map<Oid, std::string> schemas_rest();
  void write_rest(Oid oid, std::string_view rest, std::vector<Sql>& parts) const;

  SqlSession& session_;
};

}  // namespace re_dms
