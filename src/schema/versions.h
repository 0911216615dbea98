// From what the stream and the catalog say of a table to a schema version, and from two versions to
// what has to change in the target. Pure: no I/O, same input, same answer.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/relation.h"
#include "model/schema_change.h"
#include "model/table_schema.h"

namespace re_dms {

/// Why a table cannot be followed any further; a sentence for people.
struct Refusal {
  std::string reason;
};

/// Completes `relation` by the catalog's answer for the place of the stream where it stands. The
/// catalog may be ahead of the stream (it speaks of now): a column counts as found when the catalog
/// has a live one of the same name and type, else when `previous` (may be null) has one of the same
/// name and type. Key flags are the relation's. `catalog` may be null.
std::variant<TableSchema, Refusal> complete_schema(const Relation& relation,
                                                   const TableSchema* catalog,
                                                   const TableSchema* previous);

/// What the target needs to go from `before` to `after`. Columns are the same when their attribute
/// numbers are. Equal versions give an empty list.
std::variant<std::vector<SchemaChange>, Refusal> compare_schemas(const TableSchema& before,
                                                                 const TableSchema& after);

}  // namespace re_dms
