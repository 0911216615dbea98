#include "warehouse/duckdb/target_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include "base/error.h"
#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

/// Names are equal for DuckDB when they are in ASCII lower case.
std::string folded(std::string_view name) {
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
    return c < 128 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
  });
  return result;
}

void refuse_impossible(const QualifiedName& target, const TableSchema& table) {
  const std::string schema = folded(target.schema);
  if (schema == "re_dms" || schema == "re_dms_internal") {
    throw Error(ErrorKind::Table,
                fmt::format("schema \"{}\" of the target is re_dms's own; set warehouse.schema",
                            target.schema));
  }
  if (table.columns.empty()) {
    throw Error(ErrorKind::Table, "DuckDB has no tables without columns");
  }
  std::set<std::string> names;
  for (const Column& column : table.columns) {
    if (!names.insert(folded(column.name)).second) {
      throw Error(ErrorKind::Table,
                  fmt::format("column \"{}\" differs from another one only in capitals, which "
                              "DuckDB does not tell apart",
                              column.name));
    }
  }
}

/// "BASE TABLE", "VIEW" or another kind of thing that has this name in the target.
std::optional<std::string> kind_of(Session& session, const QualifiedName& target) {
  const auto rows = session.query(
      sql("SELECT table_type FROM information_schema.tables WHERE table_catalog = {} AND "
          "lower(table_schema) = lower({}) AND lower(table_name) = lower({})",
          literal(session.catalog()), literal(target.schema), literal(target.name)));
  return rows.empty() ? std::nullopt : rows[0][0];
}

/// DuckDB checks a unique index against rows that are deleted in the same transaction, and alters
/// no table that has an index of any sort.
std::optional<std::string> index_on(Session& session, const QualifiedName& target) {
  const auto rows = session.query(
      sql("SELECT index_name FROM duckdb_indexes() WHERE database_name = {} AND "
          "lower(schema_name) = lower({}) AND lower(table_name) = lower({}) ORDER BY 1 LIMIT 1",
          literal(session.catalog()), literal(target.schema), literal(target.name)));
  if (rows.empty()) {
    return std::nullopt;
  }
  return fmt::format("table {} has an index, with which it cannot be loaded: drop index \"{}\"",
                     to_string(target), rows[0][0].value_or(""));
}

Sql definition(const Column& column) {
  return sql("{} {}", identifier(column.name), target_type(column.type));
}

Sql missing_value(const Column& column) {
  return column.missing ? from_text(column.type, literal(*column.missing)) : sql("NULL");
}

/// Makes the table anew, its new columns filled.
void rebuild_with(Session& session, const KnownTable& table, const std::vector<Column>& columns) {
  const Sql target = qualified(session.catalog(), table.target);
  const Sql rebuilt = qualified(
      session.catalog(), {table.target.schema, fmt::format("re_dms_rebuild_{}", table.schema.oid)});
  std::vector<Sql> values;
  values.reserve(columns.size());
  for (const Column& column : columns) {
    values.push_back(sql("CAST({} AS {}) AS {}", missing_value(column), target_type(column.type),
                         identifier(column.name)));
  }
  session.execute(sql("CREATE TABLE {} AS SELECT *, {} FROM {}", rebuilt, joined(values), target),
                  Blame::Table);
  session.execute(sql("DROP TABLE {}", target), Blame::Table);
  session.execute(sql("ALTER TABLE {} RENAME TO {}", rebuilt, identifier(table.target.name)),
                  Blame::Table);
}

}  // namespace

void create_target(Session& session, const QualifiedName& target, const TableSchema& table) {
  refuse_impossible(target, table);
  if (kind_of(session, target)) {
    throw Error(
        ErrorKind::Table,
        fmt::format("a table of that name is already in the target: {} (DuckDB does not tell "
                    "capitals apart). Rename or drop it there, or choose another "
                    "warehouse.schema",
                    to_string(target)));
  }
  std::vector<Sql> columns;
  for (const Column& column : table.columns) {
    columns.push_back(definition(column));
  }
  session.execute(sql("CREATE SCHEMA IF NOT EXISTS {}.{}", identifier(session.catalog()),
                      identifier(target.schema)),
                  Blame::Table);
  session.execute(
      sql("CREATE TABLE {} ({})", qualified(session.catalog(), target), joined(columns)),
      Blame::Table);
}

EarlierChanges add_columns(Session& session, const KnownTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier) {
  if (const auto index = index_on(session, table.target)) {
    throw Error(ErrorKind::Table, *index);
  }
  // ALTER TABLE after an UPDATE or DELETE of the same table in one transaction is accepted by
  // DuckDB 1.4 and fails at COMMIT, for the whole batch. A default in the catalog is logged as text
  // that recovery after a crash cannot read back when it calls a function or names the type JSON,
  // and then the file cannot be opened; and an UPDATE of all rows is kept in memory until COMMIT.
  // Making the table anew has none of these faults.
  const bool has_values =
      std::ranges::any_of(columns, [](const Column& column) { return column.missing.has_value(); });
  if (has_values || earlier == EarlierChanges::Some) {
    rebuild_with(session, table, columns);
    return EarlierChanges::Some;
  }
  for (const Column& column : columns) {
    session.execute(sql("ALTER TABLE {} ADD COLUMN {}", qualified(session.catalog(), table.target),
                        definition(column)),
                    Blame::Table);
  }
  return earlier;
}

std::optional<std::string> shape_difference(Session& session, const KnownTable& table) {
  const auto kind = kind_of(session, table.target);
  if (!kind) {
    return fmt::format("table {} is not in the target any more", to_string(table.target));
  }
  if (*kind != "BASE TABLE") {
    return fmt::format("{} is no table in the target any more, but of kind {}",
                       to_string(table.target), *kind);
  }
  if (auto index = index_on(session, table.target)) {
    return index;
  }
  const auto found = session.query(sql("SELECT column_name, column_type FROM (DESCRIBE {})",
                                       qualified(session.catalog(), table.target)));
  const std::vector<Column>& wanted = table.schema.columns;
  for (std::size_t i = 0; i < std::max(found.size(), wanted.size()); ++i) {
    if (i >= found.size()) {
      return fmt::format("column \"{}\" is missing in the target", wanted[i].name);
    }
    const std::string name = found[i][0].value_or("");
    const std::string type = found[i][1].value_or("");
    if (i >= wanted.size()) {
      return fmt::format("the target has a column \"{}\" that the source does not have", name);
    }
    if (name != wanted[i].name) {
      return fmt::format("column {} of the target is \"{}\" where \"{}\" belongs", i + 1, name,
                         wanted[i].name);
    }
    if (const Sql expected = target_type(wanted[i].type); type != expected.text()) {
      return fmt::format("column \"{}\" of the target is of type {}, not {}", name, type,
                         expected.text());
    }
  }
  return std::nullopt;
}

}  // namespace re_dms::duckdb
