// The shape of target tables: made from a source table's, and compared with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/schema_change.h"
#include "warehouse/duckdb/service_tables.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

/// Whether rows of the table were updated or deleted earlier in this transaction.
enum class EarlierChanges { None, Some };

/// CREATE TABLE, and its schema when that is missing. Throws Table when a table of that name is
/// there already or DuckDB cannot have such a table.
void create_target(Session& session, const QualifiedName& target, const TableSchema& table);

/// Appends columns, in which older rows have their missing values. Returns what `earlier` is for
/// the statements that follow. Throws Table for a table with an index: it would be lost.
EarlierChanges add_columns(Session& session, const KnownTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier);

/// What makes the target's table another than the known one, or unfit for loads; nothing when they
/// agree.
std::optional<std::string> shape_difference(Session& session, const KnownTable& table);

}  // namespace re_dms::duckdb
