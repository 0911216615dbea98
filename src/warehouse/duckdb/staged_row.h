// The row of a staged file that holds one.
#pragma once

#include "model/staged_batch.h"
#include "warehouse/sql_session.h"

namespace re_dms::duckdb {

/// The fields as docs/stage_format.md lays them out, of a file whose checksum was compared. Read
/// here because DuckDB needs longer to plan a read of the file than to update the row. Throws Table
/// when the file cannot be read or holds anything but one row.
Row read_staged_row(const StagedFile& file);

}  // namespace re_dms::duckdb
