#include "schema/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace re_dms {

namespace {

const Column* find_column(const TableSchema* table, const RelationColumn& wanted) {
  if (table == nullptr) {
    return nullptr;
  }
  for (const Column& column : table->columns) {
    // A domain shows typmod -1 in the Relation and in the catalog's atttypmod alike (PostgreSQL 15,
    // pgoutput sends atttypmod).
    if (column.name == wanted.name && column.type.oid == wanted.type_oid &&
        column.type.typmod == wanted.typmod) {
      return &column;
    }
  }
  return nullptr;
}

std::optional<std::string> forbidden_difference(const Column& before, const Column& after) {
  if (before.name != after.name) {
    return fmt::format("column \"{}\" was renamed to \"{}\"", before.name, after.name);
  }
  if (before.type.oid != after.type.oid || before.type.typmod != after.type.typmod ||
      before.type.base_oid != after.type.base_oid) {
    return fmt::format("the type of column \"{}\" changed from {} to {}", before.name,
                       before.type.name, after.type.name);
  }
  return std::nullopt;
}

}  // namespace

std::variant<TableSchema, Refusal> complete_schema(const Relation& relation,
                                                   const TableSchema* catalog,
                                                   const TableSchema* previous) {
  TableSchema table;
  table.oid = relation.oid;
  table.name = relation.name;
  table.identity = relation.identity;
  for (const RelationColumn& wanted : relation.columns) {
    const Column* found = find_column(catalog, wanted);
    if (found == nullptr) {
      found = find_column(previous, wanted);
    }
    if (found == nullptr) {
      return Refusal{fmt::format(
          "column \"{}\" of the stream is not in the catalog any more: the table was changed again "
          "before its first change was read, and which column became which cannot be told",
          wanted.name)};
    }
    Column column = *found;
    column.key = wanted.key;
    table.columns.push_back(std::move(column));
  }
  const bool in_order =
      std::is_sorted(table.columns.begin(), table.columns.end(),
                     [](const Column& a, const Column& b) { return a.attnum < b.attnum; });
  if (!in_order) {
    return Refusal{"the catalog's columns and the stream's do not fit together"};
  }
  return table;
}

std::variant<std::vector<SchemaChange>, Refusal> compare_schemas(const TableSchema& before,
                                                                 const TableSchema& after) {
  if (before.name != after.name) {
    return Refusal{fmt::format("the table was renamed from {} to {}", to_string(before.name),
                               to_string(after.name))};
  }
  std::vector<SchemaChange> changes;
  std::size_t next = 0;
  for (const Column& column : after.columns) {
    if (next < before.columns.size() && before.columns[next].attnum == column.attnum) {
      if (auto difference = forbidden_difference(before.columns[next], column)) {
        return Refusal{*difference};
      }
      ++next;
      continue;
    }
    if (next < before.columns.size()) {
      return Refusal{fmt::format("column \"{}\" was dropped", before.columns[next].name)};
    }
    if (column.default_not_stored) {
      return Refusal{fmt::format(
          "column \"{}\" was added with a default that rewrote the table; the values of the rows "
          "that were there are not in the stream",
          column.name)};
    }
    changes.emplace_back(AddColumn{column});
  }
  if (next < before.columns.size()) {
    return Refusal{fmt::format("column \"{}\" was dropped", before.columns[next].name)};
  }
  return changes;
}

}  // namespace re_dms
