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

}  // namespace

std::vector<std::string> unknown_columns(Connection& plain, const SourceSettings& settings) {
  if (std::ranges::none_of(settings.tables, names_columns)) {
    return {};
  }
  std::vector<Oid> oids;
  for (const CandidateTable& table :
       list_candidates(plain, TableSelection(settings.include, settings.exclude))) {
    oids.push_back(table.oid);
  }
  std::vector<TableSchema> tables;
  for (CatalogTable& table : read_tables(plain, settings.publication, oids)) {
    tables.push_back(std::move(table.schema));
  }
  return TableRules(settings.tables).unknown_columns(tables);
}

}  // namespace re_dms
