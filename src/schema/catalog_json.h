// Table schemas as JSON: in the journal's catalog records and in the target's service tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/table_schema.h"

namespace re_dms {

/// What a target keeps of a table beside its schema, as StoredTable has it.
struct BesideSchema {
  std::vector<std::string> kept_columns{};
  QualifiedName copy{};
  bool asked = false;
  bool held_back = false;

  bool operator==(const BesideSchema&) const = default;
};

/// Compact, keys in a fixed order: equal schemas give equal bytes.
std::string to_json(const TableSchema& table, const BesideSchema& beside = {});

/// Throws Fatal on anything that to_json does not write; unknown keys are ignored, so that a newer
/// version may add some.
TableSchema table_schema_from_json(std::string_view json);

/// Of what to_json wrote.
BesideSchema beside_schema_from_json(std::string_view json);

/// The body of a Catalog record.
std::string catalog_to_json(const std::vector<CatalogTable>& tables);
std::vector<CatalogTable> catalog_from_json(std::string_view json);

}  // namespace re_dms
