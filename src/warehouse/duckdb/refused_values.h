// Finds out which column of a staged file DuckDB cannot take, after a load of it failed.
#pragma once

#include <optional>
#include <string>

#include "model/staged_batch.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// Names the columns with values their target type cannot hold, and how many such values there are;
/// never a value. Nothing when all values fit, or the file cannot be read. Needs a session without
/// an open transaction.
std::optional<std::string> refused_values(Session& session, const StagedLayer& layer,
                                          const StagedFile& file);

}  // namespace re_dms::duckdb
