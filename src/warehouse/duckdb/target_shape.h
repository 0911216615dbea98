// The shape of target tables: made from a source table's, and compared with it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/schema_change.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

/// Whether rows of the table were updated or deleted earlier in this transaction.
enum class EarlierChanges { None, Some };

/// How a table of the target differs from what it should be.
struct ShapeDifference {
  std::string text;
  Remedy remedy = Remedy::Copy;  ///< a person's, where something is in the way that is not ours
};

/// The tables of the target as one transaction finds them. Asks DuckDB for all tables at once only
/// where many of them are wanted: the cost of its catalog queries grows with the number of tables
/// that exist.
class TargetCatalog {
 public:
  /// Reads which tables have an index; there are few or none. `tables` is about how many there are;
  /// 0 when all will be asked for. The session must outlive it.
  TargetCatalog(Session& session, std::size_t tables);

  /// To be called when the transaction has made the table or changed its columns.
  void changed(const QualifiedName& target) { changed_.insert(folded_name(target)); }

  /// How the target's table differs from the known one, or why it is unfit for loads; nothing when
  /// they agree.
  std::optional<ShapeDifference> difference(const StoredTable& table);

  /// Whether the table holds more rows than this. Rows that the transaction wrote may not be
  /// counted.
  bool holds_more(const QualifiedName& target, std::uint64_t rows);

  /// Why a table with an index cannot be loaded; nothing for one without.
  std::optional<std::string> index_on(const QualifiedName& target) const;

 private:
  using FoldedName = std::pair<std::string, std::string>;  ///< schema and table

  static FoldedName folded_name(const QualifiedName& name);
  bool are_better_listed(std::size_t asked) const;
  std::vector<Row> columns(const QualifiedName& target);
  void read_columns();
  void read_sizes();

  Session& session_;
  const std::size_t tables_;
  std::map<FoldedName, std::string> indexes_;  ///< one of each table's
  std::set<FoldedName> changed_;
  std::size_t columns_asked_ = 0;
  std::size_t sizes_asked_ = 0;
  // Of all tables, or none.
  std::map<FoldedName, std::vector<Row>> columns_;  ///< name and type
  std::map<FoldedName, std::uint64_t> sizes_;       ///< in rows
};

/// Names that are equal here are one for DuckDB, which ignores the case of ASCII letters.
std::string folded(std::string_view name);

/// Whether DuckDB takes these for one name.
bool is_same_name(const QualifiedName& a, const QualifiedName& b);

/// Throws Table when the target has a table, or anything else, of that name.
void require_free_name(Session& session, const QualifiedName& target);

/// A column as CREATE and ALTER TABLE take it.
Sql definition(const Column& column);

/// What older rows have in a column that is new.
Sql missing_value(const Column& column);

/// CREATE TABLE, and its schema when that is missing. Throws Table when a table of that name is
/// there already or DuckDB cannot have such a table.
void create_target(Session& session, const QualifiedName& target, const TableSchema& table);

/// What becomes of a table's columns.
struct ColumnChanges {
  std::vector<Column> added;         ///< behind those that stay; older rows have missing values
  std::vector<std::string> dropped;  ///< their names

  bool empty() const { return added.empty() && dropped.empty(); }
};

/// Returns what `earlier` is for the statements that follow. Throws Table for a table with an
/// index: it would be lost. A table that is kept is altered, never made anew: where DuckDB cannot,
/// NotTheCopy is thrown.
EarlierChanges change_columns(Session& session, const TargetCatalog& catalog,
                              const StoredTable& table, const ColumnChanges& changes,
                              EarlierChanges earlier);

}  // namespace re_dms::duckdb
