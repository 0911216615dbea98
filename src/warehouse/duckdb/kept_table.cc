#include "warehouse/duckdb/kept_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <string>

#include "base/error.h"
#include "base/failpoint.h"
#include "warehouse/duckdb/faults.h"
#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

/// What stands between the table and rows of its schema.
struct Misfit {
  std::vector<Column> missing;
  std::vector<std::string> others;  ///< for people
};

/// A column as DESCRIBE tells it.
struct Described {
  std::string name;
  std::string type;
  bool not_null = false;
  bool has_default = false;
};

std::map<std::string, Described> described(Session& session, const QualifiedName& target) {
  std::map<std::string, Described> columns;
  for (const Row& row : session.columns(target)) {
    Described column{row.at(0).value_or(""), row.at(1).value_or(""), row.at(2) == "NO",
                     row.at(4).has_value()};
    std::string name = folded(column.name);
    columns.emplace(std::move(name), std::move(column));
  }
  return columns;
}

Misfit misfit_of(Session& session, const StoredTable& table) {
  Misfit misfit;
  std::map<std::string, Described> found = described(session, table.target);
  for (const Column& column : table.schema.columns) {
    const auto named = found.find(folded(column.name));
    if (named == found.end()) {
      misfit.missing.push_back(column);
      continue;
    }
    const Sql wanted = target_type(column.type);
    if (named->second.type != wanted.text()) {
      misfit.others.push_back(fmt::format("column \"{}\" is of type {}, not {}", column.name,
                                          named->second.type, wanted.text()));
    } else if (named->second.not_null && !column.not_null) {
      misfit.others.push_back(
          fmt::format("column \"{}\" is NOT NULL, and may be NULL in the source", column.name));
    }
    found.erase(named);
  }
  for (const auto& [name, column] : found) {
    if (column.not_null && !column.has_default) {
      misfit.others.push_back(fmt::format(
          "column \"{}\", which the source does not have, is NOT NULL without a default",
          column.name));
    }
  }
  return misfit;
}

std::string described(const Misfit& misfit) {
  std::vector<std::string> texts;
  for (const Column& column : misfit.missing) {
    texts.push_back(
        fmt::format("column \"{}\" ({}) is missing", column.name, target_type(column.type).text()));
  }
  texts.insert(texts.end(), misfit.others.begin(), misfit.others.end());
  return fmt::format("{}", fmt::join(texts, "; "));
}

/// DuckDB checks a key against rows that the same transaction deletes.
void add_constraints(Session& session, const QualifiedName& target, Misfit& misfit) {
  for (const Row& row : session.query(
           sql("SELECT DISTINCT constraint_type FROM duckdb_constraints() WHERE database_name = {} "
               "AND lower(schema_name) = lower({}) AND lower(table_name) = lower({}) AND "
               "constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') ORDER BY 1",
               literal(session.catalog()), literal(target.schema), literal(target.name)))) {
    misfit.others.push_back(fmt::format("it has the constraint {}", row[0].value_or("")));
  }
}

/// Throws unless the table fits; gives the columns that are to be added.
std::vector<Column> fitted(Session& session, const TargetCatalog& catalog, const StoredTable& table,
                           bool known) {
  if (session.named(table.target) == Named::Other) {
    require_free_name(session, table.target);
  }
  if (const auto index = catalog.index_on(table.target)) {
    throw Error(ErrorKind::Table, *index);
  }
  Misfit misfit = misfit_of(session, table);
  add_constraints(session, table.target, misfit);
  if (!misfit.others.empty() || (!misfit.missing.empty() && !known)) {
    throw Error(ErrorKind::Table,
                fmt::format("the table {} of the target does not fit: {}. Change it there, or drop "
                            "it so that re_dms makes it, and then run `re_dms resync`",
                            to_string(table.target), described(misfit)));
  }
  return misfit.missing;
}

std::vector<Sql> column_names(const TableSchema& table) {
  std::vector<Sql> names;
  names.reserve(table.columns.size());
  for (const Column& column : table.columns) {
    names.push_back(identifier(column.name));
  }
  return names;
}

void add_column(Session& session, const QualifiedName& target, const Column& column) {
  session.execute(
      sql("ALTER TABLE {} ADD COLUMN {}", qualified(session.catalog(), target), definition(column)),
      Blame::Table);
}

}  // namespace

std::optional<ShapeDifference> kept_difference(Session& session, const StoredTable& table) {
  const Misfit misfit = misfit_of(session, table);
  if (misfit.missing.empty() && misfit.others.empty()) {
    return std::nullopt;
  }
  return ShapeDifference{
      fmt::format("table {} of the target: {}", to_string(table.target), described(misfit))};
}

void require_fit(Session& session, const TargetCatalog& catalog, const StoredTable& table,
                 bool known) {
  fitted(session, catalog, table, known);
}

void refill(Session& session, const TargetCatalog& catalog, const QualifiedName& copy,
            const StoredTable& table, bool known) {
  // Before the DELETE: DuckDB 1.4 accepts ALTER after it, and then fails at COMMIT.
  for (const Column& column : fitted(session, catalog, table, known)) {
    add_column(session, table.target, column);
  }
  const Sql rows = qualified(session.catalog(), copy);
  if (!table.may_lack_rows()) {
    session.execute(sql("DELETE FROM {}", qualified(session.catalog(), table.target)),
                    Blame::Table);
    failpoint("copy-adopt-emptied");
    session.execute(sql("INSERT INTO {} SELECT {} FROM {}", written_columns(session, table),
                        joined(column_names(table.schema)), rows),
                    Blame::Table);
  }
  session.execute(sql("DROP TABLE {}", rows), Blame::Table);
}

Sql written_columns(const Session& session, const StoredTable& table,
                    const std::vector<Sql>& more) {
  std::vector<Sql> names = column_names(table.schema);
  names.insert(names.end(), more.begin(), more.end());
  return sql("{} ({})", qualified(session.catalog(), table.target), joined(names));
}

EarlierChanges add_to_kept(Session& session, const StoredTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier) {
  const std::map<std::string, Described> found = described(session, table.target);
  std::vector<Sql> values;
  for (const Column& column : columns) {
    const bool is_there = found.contains(folded(column.name));
    if (!is_there && earlier == EarlierChanges::Some) {
      throw NotTheCopy(
          fmt::format("column \"{}\" came in one transaction behind changed rows, where DuckDB can "
                      "only make the table anew, and this one is kept",
                      column.name));
    }
    if (!is_there) {
      add_column(session, table.target, column);
    }
    if (is_there || column.missing) {
      values.push_back(sql("{} = {}", identifier(column.name), missing_value(column)));
    }
  }
  if (values.empty()) {
    return earlier;
  }
  session.execute(
      sql("UPDATE {} SET {}", qualified(session.catalog(), table.target), joined(values)),
      Blame::Table);
  return EarlierChanges::Some;
}

}  // namespace re_dms::duckdb
