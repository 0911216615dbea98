// The shape of target tables: made from a source table's, and compared with it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/staged_batch.h"
#include "model/table_layout.h"
#include "warehouse/redshift/session.h"
#include "warehouse/stored_table.h"

namespace re_dms::redshift {

/// The columns of the target's tables as the open transaction found them, each with its type.
class TargetCatalog {
 public:
  /// Asks for these tables, in one query. The session must outlive it.
  TargetCatalog(Session& session, const std::vector<QualifiedName>& targets);

  /// How the target's table differs from the known one; nothing when they agree.
  std::optional<std::string> difference(const StoredTable& table) const;

  /// The columns of the known table that the target's lacks.
  std::vector<Column> missing(const StoredTable& table) const;

  /// The columns of the target's table that the known one lacks.
  std::vector<std::string> surplus(const StoredTable& table) const;

  /// Why rows of the known table do not fit into the target's, besides missing columns.
  std::vector<std::string> misfits(const StoredTable& table) const;

  bool has(const QualifiedName& target, const std::string& column) const;

  /// The transaction has made the table, or changed its columns, so that it has those that are
  /// known.
  void changed(const StoredTable& table);

 private:
  struct TargetColumn {
    std::string type;
    bool needs_value = false;  ///< NOT NULL without a default
  };

  using Columns = std::map<std::string, TargetColumn>;  ///< by name

  const Columns& columns(const QualifiedName& target) const;

  std::map<QualifiedName, Columns> tables_;  ///< names in lower case
};

QualifiedName folded(const QualifiedName& name);

/// The error for a name that something else has.
Error name_taken(const QualifiedName& target);

/// CREATE TABLE, and its schema where that is missing. Rows with equal keys are told apart by a key
/// of one column, which rows are spread and sorted by unless the layout says otherwise; the primary
/// key is declared where there is one, since the planner relies on it. Throws Table, before
/// anything is made, when a table of that name is there already or Redshift cannot have such a
/// table.
void create_target(Session& session, const QualifiedName& target, const TableSchema& table,
                   const TableLayout& layout);

/// The column that rows are spread by; nothing where they are spread otherwise.
std::optional<std::size_t> distribution_column(const TableSchema& table, const TableLayout& layout);

/// Why Redshift cannot have these columns beside one another, in a table whose rows are merged.
std::optional<std::string> columns_refusal(const TableSchema& table);

/// Why columns cannot be what somebody wants them to be.
std::optional<std::string> types_refusal(const TableSchema& table);

/// The names of the columns that the target's table declares as its primary key.
std::vector<std::string> declared_key(const TableSchema& table);

/// The table's columns, quoted, in order.
std::vector<Sql> column_list(const TableSchema& table);

}  // namespace re_dms::redshift
