// The shape of target tables: made from a source table's, and compared with it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/schema_change.h"
#include "warehouse/duckdb/service_tables.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// Whether rows of the table were updated or deleted earlier in this transaction.
enum class EarlierChanges { None, Some };

/// The tables of the target as one transaction finds them. Asks DuckDB for all tables at once only
/// where most of them are wanted: the cost of its catalog queries grows with the number of tables
/// that exist.
class TargetCatalog {
 public:
  /// Reads which tables have an index; there are few or none. The session must outlive it.
  explicit TargetCatalog(Session& session);

  /// Reads the columns of all tables, which difference() asks for one by one otherwise. They must
  /// not change while the catalog is used.
  void read_columns();

  /// How the target's table differs from the known one, or why it is unfit for loads; nothing when
  /// they agree.
  std::optional<std::string> difference(const StoredTable& table) const;

  /// Why a table with an index cannot be loaded; nothing for one without.
  std::optional<std::string> index_on(const QualifiedName& target) const;

 private:
  using FoldedName = std::pair<std::string, std::string>;  ///< schema and table

  static FoldedName folded_name(const QualifiedName& name);
  std::vector<Row> columns(const QualifiedName& target) const;

  Session& session_;
  std::map<FoldedName, std::string> indexes_;                          ///< one of each table's
  std::optional<std::map<FoldedName, std::vector<Row>>> all_columns_;  ///< name and type
};

/// CREATE TABLE, and its schema when that is missing. Throws Table when a table of that name is
/// there already or DuckDB cannot have such a table.
void create_target(Session& session, const QualifiedName& target, const TableSchema& table);

/// Appends columns, in which older rows have their missing values. Returns what `earlier` is for
/// the statements that follow. Throws Table for a table with an index: it would be lost.
EarlierChanges add_columns(Session& session, const TargetCatalog& catalog, const StoredTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier);

}  // namespace re_dms::duckdb
