// PostgreSQL's types in Redshift: what a column becomes. Sources: the Redshift database developer
// guide of June 2023, "Supported data types" and "Unsupported PostgreSQL data types".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/table_schema.h"
#include "model/value_limits.h"
#include "warehouse/sql.h"

namespace re_dms::redshift {

/// The type of the target's column. What Redshift cannot hold is VARCHAR with PostgreSQL's text:
/// COPY refuses texts over its length. What somebody wants it to be comes first.
Sql target_type(const ColumnType& type);

/// Why the column cannot be what somebody wants it to be.
std::optional<std::string> type_refusal(const ColumnType& type);

/// COPY takes no longer row.
inline constexpr std::uint64_t kRowBytesMax = 4U << 20;

/// What COPY does not take of the type's values into a column of target_type.
ValueLimits value_limits(const ColumnType& type);

/// Whether trailing blanks do not count when values of the target's type are compared.
bool ignores_trailing_blanks(const ColumnType& type);

/// A constant that a join takes for NULL, so that it can hash what it compares: a value like
/// others. Nothing for types of which equal values may have different texts, or that no join
/// hashes.
std::optional<Sql> in_place_of_null(const ColumnType& type);

/// Whether a column of the type may be a distribution or sort key.
bool may_be_key(const ColumnType& type);

/// Whether rows can be told apart by such a column: SUPER's equality is no fact to build on.
bool can_be_compared(const ColumnType& type);

/// A column of the target as Redshift's catalog shows it, in the spelling of target_type.
struct CatalogType {
  std::string data_type;
  std::string length;     ///< of characters, in bytes
  std::string precision;  ///< of numbers
  std::string scale;
};

std::string to_text(const CatalogType& type);

/// Whether a column of the one type takes all values of the other: a longer VARCHAR does.
bool takes(const std::string& column, const std::string& wanted);

/// A value as a statement writes it, from PostgreSQL's text of it.
Sql value(const ColumnType& type, const std::string& text);

}  // namespace re_dms::redshift
