#include "warehouse/redshift/super.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>

namespace re_dms::redshift {

namespace {

// Redshift database developer guide, "Limitations" of SUPER: COPY from CSV takes 1 MB.
constexpr std::uint32_t kCsvBytesMax = 1'000'000;
constexpr std::uint32_t kStringBytesMax = 65535;

JsonForm::Kind kind_of(Oid single) {
  // pg_type.dat of PostgreSQL 15: oids of built-in types never change.
  constexpr Oid kBool = 16;
  constexpr Oid kInt8 = 20;
  constexpr Oid kInt2 = 21;
  constexpr Oid kInt4 = 23;
  constexpr Oid kOid = 26;
  constexpr Oid kJson = 114;
  constexpr Oid kFloat4 = 700;
  constexpr Oid kFloat8 = 701;
  constexpr Oid kNumeric = 1700;
  constexpr Oid kJsonb = 3802;
  switch (single) {
    case kBool:
      return JsonForm::Kind::Boolean;
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
    case kFloat4:
    case kFloat8:
    case kNumeric:
      return JsonForm::Kind::Number;
    case kJson:
    case kJsonb:
      return JsonForm::Kind::Json;
    default:
      return JsonForm::Kind::Text;
  }
}

JsonForm::Kind kind_of(const TypeParts& type) {
  switch (type.kind) {
    case TypeParts::Kind::Array:
      return JsonForm::Kind::Array;
    case TypeParts::Kind::Composite:
      return JsonForm::Kind::Object;
    case TypeParts::Kind::Hstore:
      return JsonForm::Kind::Pairs;
    case TypeParts::Kind::Single:
      break;
  }
  return kind_of(type.oid);
}

JsonForm form_of(const TypeParts& type) {
  JsonForm form{kind_of(type), type.delimiter, type.name};
  for (const TypeParts& part : type.parts) {
    form.parts.push_back(form_of(part));
  }
  return form;
}

JsonForm form_of(const ColumnType& type) {
  if (type.parts) {
    return form_of(*type.parts);
  }
  return {JsonForm::Kind::Array, ',', {}, {{kind_of(type.element_oid)}}};
}

}  // namespace

std::optional<std::string> super_refusal(const ColumnType& type) {
  const bool json = type.kind == 'b' && kind_of(type.base_oid) == JsonForm::Kind::Json;
  const bool array = type.kind == 'b' && type.element_oid != 0;
  if (json || type.parts || (array && !may_have_parts(type))) {
    return std::nullopt;
  }
  if (type.kind == 'c' || array) {
    return fmt::format(
        "{} does not become SUPER: what it is made of is not known, because its attributes are too "
        "many (alone, or with those of the table's columns before it), nested too deep, or have "
        "names that are not UTF-8",
        type.name);
  }
  return fmt::format("{} does not become SUPER: json, jsonb, hstore, arrays and composites do",
                     type.name);
}

ValueLimits super_limits(const ColumnType& type) {
  ValueLimits limits{
      .check = ValueCheck::Json, .bytes_max = kCsvBytesMax, .string_bytes_max = kStringBytesMax};
  if (type.element_oid != 0 || type.parts) {
    limits.check = ValueCheck::AsJson;
    limits.written = Written::AsJson;
    limits.form = std::make_shared<const JsonForm>(form_of(type));
  }
  return limits;
}

}  // namespace re_dms::redshift
