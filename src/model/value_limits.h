// What a target's column cannot hold of the values of its type in the source.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "model/json_form.h"

namespace re_dms {

/// What there is to look at before a value is staged.
enum class ValueCheck : char {
  None,      ///< every value of the type fits
  Text,      ///< its length
  Bytea,     ///< its length
  Number,    ///< whether it is one: neither NaN nor infinite
  DateTime,  ///< whether it lies between two dates
  Zone,      ///< the offset of a time with time zone
  Json,      ///< whether the target keeps all of a JSON text
  AsJson,    ///< the same of the JSON that it becomes
};

/// How a value's text is written.
enum class Written : char {
  AsItIs,
  PlainHex,  ///< bytea as hex digits alone, without PostgreSQL's "\x" before them
  AsJson,    ///< an array, composite or hstore as JSON
};

/// Of one type; the views are of constants.
struct ValueLimits {
  ValueCheck check = ValueCheck::None;
  Written written = Written::AsItIs;
  /// Text: the beginning of a value is a value of the type too.
  bool cuttable = false;
  /// DateTime: infinity and -infinity fit.
  bool endless = false;
  /// DateTime: every date BC fits.
  bool before_christ = false;
  /// AsJson.
  std::shared_ptr<const JsonForm> form{};
  /// Text, Bytea, Json and AsJson.
  std::uint32_t bytes_max = 0;
  /// Json and AsJson: of a string inside.
  std::uint32_t string_bytes_max = 0;
  /// Number and DateTime: the first and the last value that fit, as PostgreSQL writes them. Number:
  /// empty where NaN is all that does not fit. DateTime: `lowest` has a year of four digits.
  std::string_view lowest{};
  std::string_view highest{};

  bool operator==(const ValueLimits&) const = default;
};

}  // namespace re_dms
