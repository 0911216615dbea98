// A staged file as a table expression. Column names in it: op, mask, k1, k2, … (origin key columns)
// and c1, c2, … (table columns); all VARCHAR, NULL where the file says \N.
#pragma once

#include <cstddef>
#include <vector>

#include "model/staged_batch.h"
#include "warehouse/sql.h"

namespace re_dms::duckdb {

/// Column `index` (from 0) of the table, as staged rows name it.
Sql column_name(std::size_t index);

/// Key column `index` (from 0) of the origin key, as staged rows name it.
Sql key_name(std::size_t index);

/// read_csv of one file of a layer.
Sql read_file(const StagedLayer& layer, const StagedFile& file);

/// What to select from a file to have values of the target's types: op, mask and key columns
/// included when the layer's shape has them.
std::vector<Sql> converted_columns(const StagedLayer& layer);

/// A subquery with what the temporary table of the layer would hold, if `file` is its only one.
Sql read_converted(const StagedLayer& layer, const StagedFile& file);

/// The same columns as definitions for a table, all nullable: rows that delete have no values.
std::vector<Sql> column_definitions(const StagedLayer& layer);

}  // namespace re_dms::duckdb
