// The columns of a temporary table that a layer's files are copied into: op, mask, k1, k2, …
// (origin key columns) and c1, c2, … (table columns).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/staged_batch.h"
#include "warehouse/sql.h"

namespace re_dms::redshift {

/// Column `index` (from 0) of the table, as staged rows name it.
Sql column_name(std::size_t index);

/// Key column `index` (from 0) of the origin key, as staged rows name it.
Sql key_name(std::size_t index);

/// In the order of the files' fields.
std::vector<Sql> staged_names(const StagedLayer& layer);

/// CREATE TEMP TABLE; all columns are nullable: rows that delete have no values. Where the target's
/// rows are spread by a key column, `distribution`, rows lie where those of the same key lie, so
/// that none travels in the merge.
Sql create_staged(const StagedLayer& layer, const Sql& name,
                  std::optional<std::size_t> distribution);

/// The name, in the source, of what is `name` in a staged or a target table.
std::string source_column(const StagedLayer& layer, const std::string& name);

}  // namespace re_dms::redshift
