// The only row of a layer, updated by a statement of its own.
#pragma once

#include <cstdint>

#include "model/staged_batch.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// Updates what the only staged row of the layer, an update or a replacement, says, and returns how
/// many rows of the target had its key. It writes only columns whose values change. DuckDB plans
/// this in a third of the time that it needs to join the file, and most tables of a batch with many
/// have changed in one row. Throws Table when the file holds another operation or a value that the
/// target cannot hold.
std::uint64_t update_row(Session& session, const QualifiedName& target, const StagedLayer& layer,
                         const StagedFile& file);

}  // namespace re_dms::duckdb
