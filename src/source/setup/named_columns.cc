#include "source/setup/named_columns.h"

#include <algorithm>

#include "source/catalog/candidates.h"
#include "source/catalog/catalog.h"
#include "source/catalog/pattern.h"

namespace re_dms {

namespace {

bool names_columns(const TableSettings& section) {
  return !section.column_bad_values.empty() || !section.types.empty() ||
         !section.layout.distkey.empty() || !section.layout.sortkey.empty();
}

/// Of all tables that are asked for.
std::vector<TableSchema> read_candidates(Connection& plain, const SourceSettings& settings) {
  std::vector<Oid> oids;
  for (const CandidateTable& table :
       list_candidates(plain, TableSelection(settings.include, settings.exclude))) {
    oids.push_back(table.oid);
  }
  std::vector<TableSchema> tables;
  for (CatalogTable& table : read_tables(plain, settings.publication, oids)) {
    tables.push_back(std::move(table.schema));
  }
  return tables;
}

}  // namespace

std::vector<std::string> unknown_columns(Connection& plain, const SourceSettings& settings) {
  if (std::ranges::none_of(settings.tables, names_columns)) {
    return {};
  }
  return TableRules(settings.tables).unknown_columns(read_candidates(plain, settings));
}

std::vector<TableSchema> tables_with_types(const SourceSettings& settings) {
  if (std::ranges::all_of(settings.tables,
                          [](const TableSettings& section) { return section.types.empty(); })) {
    return {};
  }
  Connection plain(settings, ConnectionPurpose::Sql);
  std::vector<TableSchema> tables = read_candidates(plain, settings);
  const TableRules rules(settings.tables);
  for (TableSchema& table : tables) {
    set_target_types(table, [&rules](const QualifiedName& name, const std::string& column) {
      return rules.target_type(name, column);
    });
  }
  std::erase_if(tables, [](const TableSchema& table) {
    return std::ranges::all_of(table.columns,
                               [](const Column& column) { return column.type.target.empty(); });
  });
  return tables;
}

}  // namespace re_dms
