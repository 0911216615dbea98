#include "warehouse/duckdb/types.h"

#include <cstdint>

namespace re_dms::duckdb {

namespace {

// pg_type.dat of PostgreSQL 15: oids of built-in types never change.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kDate = 1082;
constexpr Oid kTime = 1083;
constexpr Oid kTimestamp = 1114;
constexpr Oid kTimestamptz = 1184;
constexpr Oid kNumeric = 1700;
constexpr Oid kUuid = 2950;
constexpr Oid kJsonb = 3802;

constexpr int kDecimalPrecisionMax = 38;

struct NumericShape {
  int precision = 0;
  int scale = 0;
};

/// PostgreSQL 15, numeric.c: typmod is ((precision << 16) | (scale & 0x7ff)) + 4, the scale an
/// 11-bit two's complement number.
NumericShape numeric_shape(std::int32_t typmod) {
  const std::int32_t packed = typmod - 4;
  return {(packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024};
}

/// numeric without precision has no scale either: 1.0 and 1.00 differ, up to 131072 digits.
bool fits_decimal(const ColumnType& type) {
  if (type.base_typmod < 4) {
    return false;
  }
  const NumericShape shape = numeric_shape(type.base_typmod);
  return shape.precision >= 1 && shape.precision <= kDecimalPrecisionMax && shape.scale >= 0 &&
         shape.scale <= shape.precision;
}

/// PostgreSQL writes "0044-03-15 12:00:00 BC" where DuckDB reads "0044-03-15 (BC) 12:00:00"; a date
/// with " BC" at its end DuckDB reads as one of our era. Infinities are spelled the same.
Sql with_era(const Sql& text, const Sql& type) {
  return sql(
      "CASE WHEN {0} LIKE '% BC' THEN CAST(regexp_replace({0}, "
      "'^([0-9]+-[0-9]+-[0-9]+)(.*) BC$', '\\1 (BC)\\2') AS {1}) ELSE CAST({0} AS {1}) END",
      text, type);
}

/// unhex alone would also take a text in bytea's escape format that looks like hex digits.
Sql from_hex(const Sql& text) {
  return sql(
      "CASE WHEN NOT starts_with({0}, '\\x') THEN error('bytea is not in hex format') "
      "ELSE unhex(substr({0}, 3)) END",
      text);
}

bool is_built_in_scalar(const ColumnType& type) {
  return type.kind == 'b' && type.element_oid == 0;
}

}  // namespace

Sql target_type(const ColumnType& type) {
  if (!is_built_in_scalar(type)) {
    return sql("VARCHAR");
  }
  switch (type.base_oid) {
    case kBool:
      return sql("BOOLEAN");
    case kBytea:
      return sql("BLOB");
    case kInt8:
      return sql("BIGINT");
    case kInt2:
      return sql("SMALLINT");
    case kInt4:
      return sql("INTEGER");
    case kFloat4:
      return sql("FLOAT");
    case kFloat8:
      return sql("DOUBLE");
    case kDate:
      return sql("DATE");
    case kTime:
      return sql("TIME");
    case kTimestamp:
      return sql("TIMESTAMP");
    case kTimestamptz:
      return sql("TIMESTAMP WITH TIME ZONE");
    case kNumeric: {
      const NumericShape shape = numeric_shape(type.base_typmod);
      return fits_decimal(type) ? sql("DECIMAL({},{})", shape.precision, shape.scale)
                                : sql("VARCHAR");
    }
    case kUuid:
      return sql("UUID");
    case kJsonb:
      return sql("JSON");
    default:
      return sql("VARCHAR");
  }
}

ValueLimits value_limits(const ColumnType& type) {
  if (!is_built_in_scalar(type)) {
    return {};
  }
  constexpr auto kUntil = [](std::string_view highest) {
    return ValueLimits{
        .check = ValueCheck::DateTime, .endless = true, .before_christ = true, .highest = highest};
  };
  switch (type.base_oid) {
    case kNumeric:
      return fits_decimal(type) ? ValueLimits{.check = ValueCheck::Number} : ValueLimits{};
    case kTimestamp:
      return kUntil("294247-01-10 04:00:54.775806");
    case kTimestamptz:
      return kUntil("294247-01-10 04:00:54.775806+00");
    default:
      return {};
  }
}

Sql from_text(const ColumnType& type, const Sql& text) {
  const Sql target = target_type(type);
  if (target == sql("VARCHAR")) {
    return text;
  }
  switch (type.base_oid) {
    case kBytea:
      return from_hex(text);
    case kDate:
    case kTimestamp:
    case kTimestamptz:
      return with_era(text, target);
    default:
      return sql("CAST({} AS {})", text, target);
  }
}

bool has_telling_text(const ColumnType& type) {
  const Sql target = target_type(type);
  // DuckDB writes printable bytes of a BLOB as they are: \x00 is the text of two values.
  return target != sql("VARCHAR") && target != sql("JSON") && target != sql("BLOB");
}

bool is_written_as(const ColumnType& type, std::string_view stored, std::string_view text) {
  // DuckDB rounds a TIMESTAMP WITH TIME ZONE far from now when it writes it.
  if (type.base_oid == kTimestamptz && text.find('-') != 4) {
    return false;
  }
  if (is_built_in_scalar(type) && type.base_oid == kBool) {
    return stored == (text == "t" ? "true" : "false");
  }
  if (has_different_equals(type) && stored.ends_with(".0")) {
    stored.remove_suffix(2);
  }
  return stored == text;
}

bool conversion_can_fail(const ColumnType& type) {
  return target_type(type) != sql("VARCHAR");
}

bool has_different_equals(const ColumnType& type) {
  return is_built_in_scalar(type) && (type.base_oid == kFloat4 || type.base_oid == kFloat8);
}

}  // namespace re_dms::duckdb
