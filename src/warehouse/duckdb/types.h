// PostgreSQL's types in DuckDB: what a column becomes and how its staged text becomes a value.
// docs/types.md is the same table for people.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/table_schema.h"
#include "model/value_limits.h"
#include "warehouse/sql.h"

namespace re_dms::duckdb {

/// DuckDB 1.4, DEFAULT_ROW_GROUP_SIZE. A checkpoint joins row groups that are not full with their
/// neighbours, and writes these again.
inline constexpr std::size_t kRowGroupRows = 122'880;

/// The type of the target's column, spelled as DuckDB's catalog spells it. A type DuckDB cannot
/// hold every value of without loss is VARCHAR with PostgreSQL's text, except where the few values
/// that are left out make the conversion fail (see from_text).
Sql target_type(const ColumnType& type);

/// An expression of target_type's type for `text`, an expression of PostgreSQL's text of a value
/// (ISO dates, hex bytea, UTC). NULL stays NULL. It fails for a value DuckDB cannot hold and never
/// makes another value of it.
Sql from_text(const ColumnType& type, const Sql& text);

/// What from_text fails for.
ValueLimits value_limits(const ColumnType& type);

/// Whether DuckDB's text of a value of target_type's type is short, and has is_written_as() told
/// such values apart.
bool has_telling_text(const ColumnType& type);

/// Whether `stored`, DuckDB's text of a value, is of the value that `text` is PostgreSQL's text of.
/// False also where telling would need more than the texts. The type has_telling_text().
bool is_written_as(const ColumnType& type, std::string_view stored, std::string_view text);

/// Whether from_text can fail for a text that is a value of the PostgreSQL type.
bool conversion_can_fail(const ColumnType& type);

/// Whether values that are equal for DuckDB may be different ones: 0 and -0. Their texts differ.
bool has_different_equals(const ColumnType& type);

}  // namespace re_dms::duckdb
