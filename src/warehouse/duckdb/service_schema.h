// The daemon's own tables in the warehouse file and the views people read.
#pragma once

#include <vector>

#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// The statements that make schema re_dms_internal (tables) and schema re_dms (views) in a file
/// that has neither. To be run in one transaction.
///
/// re_dms_internal, one row each, except tables and loads:
///   source    format of these tables, and the slot the file belongs to for life
///   fence     per bucket: the epoch of the daemon that may load; DuckDB has the one bucket 0
///   position  per bucket: the loaded position and a number that counts loads, empty ones too
///   tables    per source table: its shape at its position, where it is, and whether it is live. A
///             live one holds all below the larger of its own position and the loaded one
///   loads     per load and table: what was done; kept 30 days
std::vector<Sql> service_schema();

/// The statements that make the session's file, of an earlier format, one of this format.
std::vector<Sql> migration(Session& session);

}  // namespace re_dms::duckdb
