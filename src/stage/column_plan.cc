#include "stage/column_plan.h"

#include <algorithm>

#include "stage/json_text.h"

namespace re_dms {

namespace {

constexpr std::size_t kExampleBytesMax = 256;

constexpr std::string_view kTooLong = "longer than the target's column";
constexpr std::string_view kNotANumber = "not a number";
constexpr std::string_view kInfinite = "infinite";
constexpr std::string_view kEarly = "before the first date that the target has";
constexpr std::string_view kLate = "after the last date that the target has";
constexpr std::string_view kZone = "an offset from UTC that the target does not have";

constexpr std::string_view kEmptyBytes = "no bytes, which the target takes for NULL";

constexpr std::string_view kNearest = "nearest value";
constexpr std::string_view kCut = "its beginning";

constexpr std::string_view kEra = " BC";

/// "\x" and two digits for each byte.
std::size_t hex_bytes_max(const ValueLimits& limits) {
  return 2 + 2 * std::size_t{limits.bytes_max};
}

/// An empty field of hex digits is NULL for the target.
bool is_empty_bytes(const ValueLimits& limits, std::string_view text) {
  return limits.written == Written::PlainHex && text.size() == 2;
}

/// 0: it lies between the limits; else which one is nearest. PostgreSQL writes a year with four
/// digits or more, always the same parts behind it, and '+' of a zone sorts before '.' and digits.
int side_of(const ValueLimits& limits, std::string_view text) {
  if (text.ends_with("infinity")) {
    return limits.endless ? 0 : (text.front() == '-' ? -1 : 1);
  }
  if (text.ends_with(kEra)) {
    return limits.before_christ ? 0 : -1;
  }
  const std::size_t year = text.find('-');
  const std::size_t last = limits.highest.find('-');
  return year > last || (year == last && text > limits.highest) ? 1 : 0;
}

/// Seconds in it, or more than 14 hours.
bool is_odd_zone(std::string_view text) {
  const std::size_t sign = text.find_last_of("+-");
  if (sign == std::string_view::npos) {
    return true;
  }
  const std::string_view offset = text.substr(sign + 1);
  return offset.size() > 5 || offset.substr(0, 2) > "14";
}

/// At most `bytes` of a text, and no part of a character.
std::string_view beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  const auto goes_on = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (bytes > 0 && goes_on(bytes)) {
    --bytes;
  }
  return text.substr(0, bytes);
}

HeldValue null_for(std::string_view reason) {
  return {std::nullopt, reason, kBecameNull};
}

HeldValue hold_number(const ValueLimits& limits, BadValues policy, std::string_view text) {
  if (text == "NaN") {
    return null_for(kNotANumber);
  }
  if (policy == BadValues::Clamp && !limits.highest.empty()) {
    return {text.front() == '-' ? limits.lowest : limits.highest, kInfinite, kNearest};
  }
  return null_for(kInfinite);
}

HeldValue hold_date(const ValueLimits& limits, BadValues policy, std::string_view text) {
  const bool early = side_of(limits, text) < 0;
  const std::string_view reason = text.ends_with("infinity") ? kInfinite : (early ? kEarly : kLate);
  if (policy == BadValues::Null) {
    return null_for(reason);
  }
  return {early ? limits.lowest : limits.highest, reason, kNearest};
}

HeldValue hold_long(const ValueLimits& limits, BadValues policy, std::string_view text) {
  if (is_empty_bytes(limits, text)) {
    return null_for(kEmptyBytes);
  }
  if (limits.check == ValueCheck::Bytea && policy == BadValues::Truncate) {
    return {text.substr(0, hex_bytes_max(limits)), kTooLong, kCut};
  }
  if (limits.check == ValueCheck::Text && limits.cuttable && policy != BadValues::Null) {
    return {beginning(text, limits.bytes_max), kTooLong, kCut};
  }
  return null_for(kTooLong);
}

std::string_view as_json_problem(const ValueLimits& limits, std::string_view text) {
  PartsToJson parts;
  std::string json;
  return to_json(limits, text, parts, json);
}

HeldValue held(const ValueLimits& limits, BadValues policy, std::string_view text) {
  switch (limits.check) {
    case ValueCheck::Number:
      return hold_number(limits, policy, text);
    case ValueCheck::DateTime:
      return hold_date(limits, policy, text);
    case ValueCheck::Zone:
      return null_for(kZone);
    case ValueCheck::Json:
      return null_for(json_problem(limits, text));
    case ValueCheck::AsJson:
      return null_for(as_json_problem(limits, text));
    case ValueCheck::None:
    case ValueCheck::Text:
    case ValueCheck::Bytea:
      break;
  }
  return hold_long(limits, policy, text);
}

}  // namespace

bool fits(const ValueLimits& limits, std::string_view text) {
  switch (limits.check) {
    case ValueCheck::None:
      return true;
    case ValueCheck::Text:
      return text.size() <= limits.bytes_max;
    case ValueCheck::Bytea:
      return text.size() <= hex_bytes_max(limits) && !is_empty_bytes(limits, text);
    case ValueCheck::Number:
      return text.empty() || text.back() <= '9';
    case ValueCheck::DateTime: {
      constexpr std::size_t kYearDigits = 4;
      const bool usual =
          text.size() > kYearDigits && text[kYearDigits] == '-' && text.back() <= '9';
      return usual || side_of(limits, text) == 0;
    }
    case ValueCheck::Zone:
      return !is_odd_zone(text);
    case ValueCheck::Json:
      return json_problem(limits, text).empty();
    case ValueCheck::AsJson:
      return as_json_problem(limits, text).empty();
  }
  return true;
}

HeldValue hold(const ValueLimits& limits, BadValues policy, std::string_view text) {
  HeldValue value = held(limits, policy, text);
  // No policy is about a value of which nobody knows what it means.
  const bool unknown = value.reason == kOtherParts;
  if (policy == BadValues::Error || unknown) {
    value.text = text;
    value.refused = true;
    value.remedy = unknown ? Remedy::Copy : Remedy::Person;
  }
  return value;
}

ColumnPlan::ColumnPlan(const TableSchema& table, const StageFormat& format) {
  if (format.limits == nullptr) {
    return;
  }
  bool any = format.row_bytes_max > 0;
  for (const Column& column : table.columns) {
    limits_.push_back(format.limits(column.type));
    plain_.push_back(limits_.back() == ValueLimits{} ? 1 : 0);
    if (limits_.back().form) {
      growth_ = std::max(growth_, csv_growth(*limits_.back().form));
    }
    any = any || plain_.back() == 0;
  }
  if (!any) {
    limits_.clear();
    return;
  }
  for (const Column& column : table.columns) {
    is_key_.push_back(column.key);
    const BadValues wanted =
        format.bad_values ? format.bad_values(table.name, column.name) : BadValues::Usual;
    policies_.push_back(is_multiset(table) && wanted != BadValues::Error ? BadValues::Usual
                                                                         : wanted);
  }
  if (format.row_bytes_max > 0) {
    row_bytes_max_ = format.row_bytes_max;
  }
  // Of each field a comma and quotes, or NULL's text; twice for a key; the mask.
  overhead_ = (2 * (format.null_text.size() + 3) + 1) * (table.columns.size() + 2);
}

void AdjustedLog::changed(std::size_t column, const HeldValue& held, std::string_view original,
                          const TupleView& row) {
  const auto same = [&](const AdjustedCount& count) {
    return count.column == column && count.reason == held.reason;
  };
  const auto count = std::ranges::find_if(values_.counts, same);
  if (count == values_.counts.end()) {
    values_.counts.push_back({column, held.reason, 1});
  } else {
    ++count->values;
  }
  if (values_.examples.size() < kAdjustedExamplesMax) {
    values_.examples.push_back({column, held.reason, held.became, key_of(row),
                                std::string(beginning(original, kExampleBytesMax))});
  }
}

void AdjustedLog::refused(const RefusedValue& value) {
  if (!values_.refused) {
    values_.refused = value;
  }
}

std::string AdjustedLog::key_of(const TupleView& row) const {
  std::string key;
  if (row.empty()) {
    return key;
  }
  ColumnCursor cursor = row.columns();
  std::size_t column = 0;
  for (const std::size_t part : key_columns_) {
    Value value;
    for (; column <= part; ++column) {
      value = cursor.next();
    }
    key += key.empty() ? "" : ", ";
    key += value.text;
  }
  return std::string(beginning(key, kExampleBytesMax));
}

}  // namespace re_dms
