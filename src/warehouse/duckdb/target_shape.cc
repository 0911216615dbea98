#include "warehouse/duckdb/target_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include "base/error.h"
#include "warehouse/duckdb/kept_table.h"
#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

/// To list all tables costs for each a twentieth of what it costs to ask for one; there may be more
/// than ours.
constexpr std::size_t kListed = 20;
constexpr std::size_t kAskedAlone = 20;

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
                  fmt::format("column \"{}\" differs from another one only in letter case, which "
                              "DuckDB ignores",
                              column.name));
    }
  }
}

/// The kind of something that is no table, such as "VIEW".
std::string kind_of(Session& session, const QualifiedName& target) {
  const auto rows = session.query(
      sql("SELECT table_type FROM information_schema.tables WHERE table_catalog = {} AND "
          "lower(table_schema) = lower({}) AND lower(table_name) = lower({})",
          literal(session.catalog()), literal(target.schema), literal(target.name)));
  return rows.empty() ? "unknown" : rows[0][0].value_or("unknown");
}

/// Makes the table anew, its new columns filled.
void rebuild(Session& session, const StoredTable& table, const ColumnChanges& changes) {
  const Sql target = qualified(session.catalog(), table.target);
  const Sql rebuilt = qualified(
      session.catalog(), {table.target.schema, fmt::format("re_dms_rebuild_{}", table.schema.oid)});
  std::vector<Sql> dropped;
  for (const std::string& name : changes.dropped) {
    dropped.push_back(identifier(name));
  }
  std::vector<Sql> values = {dropped.empty() ? sql("*") : sql("* EXCLUDE ({})", joined(dropped))};
  for (const Column& column : changes.added) {
    values.push_back(sql("CAST({} AS {}) AS {}", missing_value(column), target_type(column.type),
                         identifier(column.name)));
  }
  session.execute(sql("CREATE TABLE {} AS SELECT {} FROM {}", rebuilt, joined(values), target),
                  Blame::Table);
  session.execute(sql("DROP TABLE {}", target), Blame::Table);
  session.execute(sql("ALTER TABLE {} RENAME TO {}", rebuilt, identifier(table.target.name)),
                  Blame::Table);
}

}  // namespace

Sql definition(const Column& column) {
  return sql("{} {}", identifier(column.name), target_type(column.type));
}

Sql missing_value(const Column& column) {
  return column.missing ? from_text(column.type, literal(*column.missing)) : sql("NULL");
}

std::string folded(std::string_view name) {
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
    return c < 128 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
  });
  return result;
}

bool is_same_name(const QualifiedName& a, const QualifiedName& b) {
  return folded(a.schema) == folded(b.schema) && folded(a.name) == folded(b.name);
}

void require_free_name(Session& session, const QualifiedName& target) {
  if (session.named(target) != Named::Nothing) {
    throw Error(
        ErrorKind::Table,
        fmt::format("a table of that name is already in the target: {} (DuckDB ignores letter "
                    "case). Rename or drop it there, or choose another warehouse.schema",
                    to_string(target)));
  }
}

void create_target(Session& session, const QualifiedName& target, const TableSchema& table) {
  refuse_impossible(target, table);
  require_free_name(session, target);
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

EarlierChanges change_columns(Session& session, const TargetCatalog& catalog,
                              const StoredTable& table, const ColumnChanges& changes,
                              EarlierChanges earlier) {
  if (const auto index = catalog.index_on(table.target)) {
    throw Error(ErrorKind::Table, *index);
  }
  if (table.is_kept()) {
    // Columns that the source has no longer are left alone there.
    return add_to_kept(session, table, changes.added, earlier);
  }
  // ALTER TABLE after an UPDATE or DELETE of the same table in one transaction is accepted by
  // DuckDB 1.4 and fails at COMMIT, for the whole batch. A default in the catalog is logged as text
  // that recovery after a crash cannot read back when it calls a function or names the type JSON,
  // and then the file cannot be opened; and an UPDATE of all rows is kept in memory until COMMIT.
  // Making the table anew has none of these faults.
  const bool has_values = std::ranges::any_of(
      changes.added, [](const Column& column) { return column.missing.has_value(); });
  if (has_values || earlier == EarlierChanges::Some) {
    rebuild(session, table, changes);
    return EarlierChanges::Some;
  }
  const Sql target = qualified(session.catalog(), table.target);
  for (const std::string& name : changes.dropped) {
    session.execute(sql("ALTER TABLE {} DROP COLUMN {}", target, identifier(name)), Blame::Table);
  }
  for (const Column& column : changes.added) {
    session.execute(sql("ALTER TABLE {} ADD COLUMN {}", target, definition(column)), Blame::Table);
  }
  return earlier;
}

TargetCatalog::TargetCatalog(Session& session, std::size_t tables)
    : session_(session), tables_(tables) {
  for (const Row& row :
       session_.query(sql("SELECT schema_name, table_name, min(index_name) FROM duckdb_indexes() "
                          "WHERE database_name = {} GROUP BY ALL",
                          literal(session_.catalog())))) {
    indexes_.emplace(folded_name({row[0].value_or(""), row[1].value_or("")}), row[2].value_or(""));
  }
}

TargetCatalog::FoldedName TargetCatalog::folded_name(const QualifiedName& name) {
  return {folded(name.schema), folded(name.name)};
}

bool TargetCatalog::are_better_listed(std::size_t asked) const {
  return tables_ == 0 || asked > std::max(kAskedAlone, tables_ / kListed);
}

std::vector<Row> TargetCatalog::columns(const QualifiedName& target) {
  if (columns_.empty() && are_better_listed(++columns_asked_)) {
    read_columns();
  }
  const auto found = columns_.find(folded_name(target));
  const bool known = found != columns_.end() && !changed_.contains(found->first);
  return known ? found->second : session_.columns(target);
}

void TargetCatalog::read_columns() {
  for (Row& row : session_.query(
           sql("SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
               "WHERE database_name = {} AND NOT internal ORDER BY table_oid, column_index",
               literal(session_.catalog())))) {
    columns_[folded_name({row[0].value_or(""), row[1].value_or("")})].push_back(
        {std::move(row[2]), std::move(row[3])});
  }
}

bool TargetCatalog::holds_more(const QualifiedName& target, std::uint64_t rows) {
  if (sizes_.empty() && are_better_listed(++sizes_asked_)) {
    read_sizes();
  }
  if (const auto found = sizes_.find(folded_name(target)); found != sizes_.end()) {
    return found->second > rows;
  }
  return !session_
              .texts(sql("SELECT '' FROM {} LIMIT 1 OFFSET {}",
                         qualified(session_.catalog(), target), rows),
                     Blame::Table)
              .empty();
}

void TargetCatalog::read_sizes() {
  for (const Row& row :
       session_.query(sql("SELECT schema_name, table_name, estimated_size FROM duckdb_tables() "
                          "WHERE database_name = {}",
                          literal(session_.catalog())))) {
    sizes_.emplace(folded_name({row[0].value_or(""), row[1].value_or("")}),
                   std::stoull(row[2].value_or("0")));
  }
}

/// DuckDB checks a unique index against rows that are deleted in the same transaction, and alters
/// no table that has an index of any sort.
std::optional<std::string> TargetCatalog::index_on(const QualifiedName& target) const {
  const auto found = indexes_.find(folded_name(target));
  if (found == indexes_.end()) {
    return std::nullopt;
  }
  return fmt::format("table {} has an index, so it cannot be loaded: drop index \"{}\"",
                     to_string(target), found->second);
}

std::optional<ShapeDifference> TargetCatalog::difference(const StoredTable& table) {
  switch (session_.named(table.target)) {
    case Named::Nothing:
      return ShapeDifference{
          fmt::format("table {} is no longer in the target", to_string(table.target))};
    case Named::Other:
      return ShapeDifference{fmt::format("{} is no longer a table in the target, but of kind {}",
                                         to_string(table.target), kind_of(session_, table.target)),
                             Remedy::Person};
    case Named::Table:
      break;
  }
  if (auto index = index_on(table.target)) {
    return ShapeDifference{*std::move(index), Remedy::Person};
  }
  if (table.is_kept()) {
    return kept_difference(session_, table);
  }
  std::vector<Row> found = columns(table.target);
  std::erase_if(found, [&](const Row& column) {
    return std::ranges::any_of(table.kept_columns, [&](const std::string& kept) {
      return folded(kept) == folded(column[0].value_or(""));
    });
  });
  const std::vector<Column>& wanted = table.schema.columns;
  for (std::size_t i = 0; i < std::max(found.size(), wanted.size()); ++i) {
    if (i >= found.size()) {
      return ShapeDifference{fmt::format("column \"{}\" is missing in the target", wanted[i].name)};
    }
    const std::string name = found[i][0].value_or("");
    const std::string type = found[i][1].value_or("");
    if (i >= wanted.size()) {
      return ShapeDifference{
          fmt::format("the target has a column \"{}\" that the source does not have", name)};
    }
    if (name != wanted[i].name) {
      return ShapeDifference{fmt::format("column {} of the target is \"{}\" where \"{}\" belongs",
                                         i + 1, name, wanted[i].name)};
    }
    if (const Sql expected = target_type(wanted[i].type); type != expected.text()) {
      return ShapeDifference{fmt::format("column \"{}\" of the target is of type {}, not {}", name,
                                         type, expected.text())};
    }
  }
  return std::nullopt;
}

}  // namespace re_dms::duckdb
