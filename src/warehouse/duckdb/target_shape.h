// The shape of target tables: made from a source table's, and compared with it.
#pragma once

#include <map>
#include <optional>
#include <set>
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
  std::optional<std::string> difference(const StoredTable& table);

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

/// CREATE TABLE, and its schema when that is missing. Throws Table when a table of that name is
/// there already or DuckDB cannot have such a table.
void create_target(Session& session, const QualifiedName& target, const TableSchema& table);

/// Appends columns, in which older rows have their missing values. Returns what `earlier` is for
/// the statements that follow. Throws Table for a table with an index: it would be lost.
EarlierChanges add_columns(Session& session, const TargetCatalog& catalog, const StoredTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier);

}  // namespace re_dms::duckdb
