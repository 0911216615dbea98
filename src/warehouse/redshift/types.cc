#include "warehouse/redshift/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "warehouse/redshift/super.h"

namespace re_dms::redshift {

namespace {

// pg_type.dat of PostgreSQL 15: oids of built-in types never change.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kOid = 26;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kBpchar = 1042;
constexpr Oid kVarchar = 1043;
constexpr Oid kDate = 1082;
constexpr Oid kTime = 1083;
constexpr Oid kTimestamp = 1114;
constexpr Oid kTimestamptz = 1184;
constexpr Oid kTimetz = 1266;
constexpr Oid kNumeric = 1700;
constexpr Oid kUuid = 2950;
constexpr Oid kXid8 = 5069;

constexpr int kVarcharMax = 65535;
constexpr int kVarbyteMax = 1024000;
constexpr int kTypmodHeader = 4;

constexpr std::string_view kFirstDate = "0001-01-01";
constexpr std::string_view kLastDate = "9999-12-31";

/// Years of four digits: that COPY reads others, nobody says.
ValueLimits dates(std::string_view lowest, std::string_view highest) {
  return {.check = ValueCheck::DateTime, .lowest = lowest, .highest = highest};
}

ValueLimits numbers(std::string_view lowest, std::string_view highest) {
  return {.check = ValueCheck::Number, .lowest = lowest, .highest = highest};
}

Sql varchar(int bytes) {
  return sql("varchar({})", bytes);
}

/// A character takes four bytes of UTF-8 at most.
Sql varchar_of(std::int32_t typmod) {
  const std::int32_t characters = typmod - kTypmodHeader;
  return varchar(characters <= 0 || characters > kVarcharMax / 4 ? kVarcharMax : 4 * characters);
}

struct DecimalShape {
  int precision = 0;
  int scale = 0;
};

/// Nothing for a numeric that DECIMAL does not hold.
std::optional<DecimalShape> decimal_shape(std::int32_t typmod) {
  constexpr int kDigitsMax = 38;
  constexpr int kScaleMax = 37;
  // PostgreSQL 15, numeric.c: ((precision << 16) | (scale & 0x7ff)) + 4, the scale in 11 bits.
  const std::int32_t packed = typmod - kTypmodHeader;
  const int precision = (packed >> 16) & 0xFFFF;
  const int scale = ((packed & 0x7FF) ^ 1024) - 1024;
  if (packed < 0 || precision > kDigitsMax || scale < 0 || scale > std::min(precision, kScaleMax)) {
    return std::nullopt;
  }
  return DecimalShape{precision, scale};
}

/// DECIMAL of up to 19 digits is kept in 64 bits, which do not hold all of 19.
Sql decimal_of(std::int32_t typmod) {
  const auto shape = decimal_shape(typmod);
  if (!shape) {
    return varchar(kVarcharMax);
  }
  return sql("numeric({},{})", shape->precision == 19 ? 20 : shape->precision, shape->scale);
}

/// Whether all values are in VARCHAR as they are and the beginning of one is another one: not of
/// JSON, of an array, or of a number.
bool is_plain_text(const ColumnType& type) {
  return type.base_oid == kText || type.base_oid == kVarchar || type.base_oid == kBpchar ||
         type.name == "citext" || type.name.ends_with(".citext");
}

/// Of a type that is VARCHAR of so many bytes.
ValueLimits text_limits(const ColumnType& type, int bytes) {
  return {.check = ValueCheck::Text,
          .cuttable = is_plain_text(type),
          .bytes_max = static_cast<std::uint32_t>(bytes)};
}

ValueLimits long_text(const ColumnType& type) {
  return text_limits(type, kVarcharMax);
}

bool is_built_in_scalar(const ColumnType& type) {
  return type.kind == 'b' && type.element_oid == 0;
}

/// Of "varchar(N)"; 0 for another text.
int varchar_bytes(std::string_view type) {
  constexpr std::string_view kBegin = "varchar(";
  int bytes = 0;
  if (type.starts_with(kBegin)) {
    type.remove_prefix(kBegin.size());
    std::from_chars(type.data(), type.data() + type.size(), bytes);
  }
  return bytes;
}

Sql usual_type(const ColumnType& type);

}  // namespace

Sql target_type(const ColumnType& type) {
  if (type.target == kSuper) {
    return sql("super");
  }
  const int bytes = varchar_bytes(type.target);
  return bytes > 0 ? varchar(bytes) : usual_type(type);
}

std::optional<std::string> type_refusal(const ColumnType& type) {
  if (type.target == kSuper) {
    return super_refusal(type);
  }
  if (varchar_bytes(type.target) > 0 && !usual_type(type).text().starts_with("varchar")) {
    return fmt::format("{} becomes {}, and not {}: only texts have a length", type.name,
                       usual_type(type).text(), type.target);
  }
  return std::nullopt;
}

namespace {

Sql usual_type(const ColumnType& type) {
  if (type.kind == 'e') {
    // PostgreSQL 15, catalog-pg-enum: a label has at most 63 bytes.
    return varchar(252);
  }
  if (!is_built_in_scalar(type)) {
    return varchar(kVarcharMax);
  }
  switch (type.base_oid) {
    case kBool:
      return sql("boolean");
    case kBytea:
      return sql("varbyte({})", kVarbyteMax);
    case kInt2:
      return sql("smallint");
    case kInt4:
      return sql("integer");
    case kInt8:
    case kOid:
      return sql("bigint");
    case kXid8:
      return sql("numeric(20,0)");
    case kFloat4:
      return sql("real");
    case kFloat8:
      return sql("double precision");
    case kDate:
      return sql("date");
    case kTime:
      return sql("time without time zone");
    case kTimetz:
      return sql("time with time zone");
    case kTimestamp:
      return sql("timestamp without time zone");
    case kTimestamptz:
      return sql("timestamp with time zone");
    case kNumeric:
      return decimal_of(type.base_typmod);
    case kBpchar:
    case kVarchar:
      return varchar_of(type.base_typmod);
    case kUuid:
      return varchar(36);
    default:
      return varchar(kVarcharMax);
  }
}

}  // namespace

ValueLimits value_limits(const ColumnType& type) {
  // A type that is wanted in vain is refused before any row is looked at.
  if (type.target == kSuper) {
    return type_refusal(type) ? ValueLimits{} : super_limits(type);
  }
  if (const int bytes = varchar_bytes(type.target); bytes > 0 && !type_refusal(type)) {
    return text_limits(type, bytes);
  }
  if (type.kind == 'e') {
    return {};
  }
  if (!is_built_in_scalar(type)) {
    return long_text(type);
  }
  switch (type.base_oid) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kXid8:
    case kTime:
    case kUuid:
      return {};
    case kBytea:
      return {.check = ValueCheck::Bytea,
              .written = Written::PlainHex,
              .bytes_max = static_cast<std::uint32_t>(kVarbyteMax)};
    case kFloat4:
      return numbers("-3.4028235e+38", "3.4028235e+38");
    case kFloat8:
      return numbers("-1.7976931348623157e+308", "1.7976931348623157e+308");
    case kDate:
      return dates(kFirstDate, kLastDate);
    case kTimestamp:
      return dates("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999");
    case kTimestamptz:
      return dates("0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00");
    case kTimetz:
      return {.check = ValueCheck::Zone};
    case kNumeric:
      // All in VARCHAR are texts.
      return decimal_shape(type.base_typmod) ? numbers({}, {}) : long_text(type);
    case kBpchar:
    case kVarchar:
      // The length is that of the longest value.
      return varchar_of(type.base_typmod) == varchar(kVarcharMax) ? long_text(type) : ValueLimits{};
    default:
      return long_text(type);
  }
}

bool ignores_trailing_blanks(const ColumnType& type) {
  return target_type(type).text().starts_with("varchar");
}

std::optional<Sql> in_place_of_null(const ColumnType& type) {
  const Sql target = target_type(type);
  if (target.text().starts_with("varchar")) {
    return sql("''");
  }
  if (target.text().starts_with("numeric")) {
    return sql("CAST(0 AS {})", target);
  }
  if (is_built_in_scalar(type)) {
    switch (type.base_oid) {
      case kInt2:
      case kInt4:
      case kInt8:
      case kOid:
        return sql("0");
      case kBool:
        return sql("false");
      case kDate:
      case kTimestamp:
      case kTimestamptz:
        return sql("CAST('2000-01-01' AS {})", target);
      default:
        break;
    }
  }
  return std::nullopt;
}

bool may_be_key(const ColumnType& type) {
  return can_be_compared(type) && !target_type(type).text().starts_with("varbyte");
}

bool can_be_compared(const ColumnType& type) {
  return type.target != kSuper;
}

std::string to_text(const CatalogType& type) {
  if (type.data_type == "character varying") {
    return fmt::format("varchar({})", type.length);
  }
  if (type.data_type == "binary varying") {
    return fmt::format("varbyte({})", type.length);
  }
  if (type.data_type == "numeric") {
    return fmt::format("numeric({},{})", type.precision, type.scale);
  }
  return type.data_type;
}

bool takes(const std::string& column, const std::string& wanted) {
  const int bytes = varchar_bytes(wanted);
  return column == wanted || (bytes > 0 && varchar_bytes(column) >= bytes);
}

Sql value(const ColumnType& type, const std::string& text) {
  if (target_type(type).text().starts_with("varbyte")) {
    RE_DMS_CHECK(text.starts_with("\\x"));
    return sql("from_hex({})", escaped_literal(std::string_view(text).substr(2)));
  }
  return sql("CAST({} AS {})", escaped_literal(text), target_type(type));
}

}  // namespace re_dms::redshift
