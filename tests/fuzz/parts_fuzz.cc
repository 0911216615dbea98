// Any bytes as the text of an array, composite or hstore: valid JSON, or refused with a reason.
//
// Input: the form, then the text. Form: u8 kind (of JsonForm::Kind, modulo); of an array u8, odd
// for ';' between elements, and the elements' form; of an object u8 attributes (modulo), each a
// letter for its name and its form.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "stage/json_text.h"

namespace {

constexpr std::size_t kDepthMax = 5;
constexpr std::size_t kAttributesMax = 4;

re_dms::JsonForm read_form(re_dms::ByteReader& input, std::size_t depth) {
  using Kind = re_dms::JsonForm::Kind;
  constexpr Kind kKinds[] = {Kind::Text,  Kind::Number, Kind::Boolean, Kind::Json,
                             Kind::Array, Kind::Object, Kind::Pairs};
  re_dms::JsonForm form;
  form.kind = kKinds[input.u8() % std::size(kKinds)];
  if (depth == kDepthMax && (form.kind == Kind::Array || form.kind == Kind::Object)) {
    form.kind = Kind::Text;
  }
  if (form.kind == Kind::Array) {
    form.delimiter = input.u8() % 2 == 0 ? ',' : ';';
    form.parts.push_back(read_form(input, depth + 1));
  } else if (form.kind == Kind::Object) {
    for (std::size_t left = input.u8() % (kAttributesMax + 1); left > 0; --left) {
      std::string name(1, static_cast<char>('a' + input.u8() % 26));
      name += std::to_string(left);
      form.parts.push_back(read_form(input, depth + 1));
      form.parts.back().name = std::move(name);
    }
  }
  return form;
}

/// Whether PostgreSQL has checked all that is JSON as it is: the column's own type has it, which
/// cannot become another without a word of the stream. A composite's attributes can.
bool is_checked_by_postgres(const re_dms::JsonForm& form) {
  using Kind = re_dms::JsonForm::Kind;
  return form.kind == Kind::Json ||
         (form.kind == Kind::Array && is_checked_by_postgres(form.parts.front()));
}

/// Whether objects have the attributes of their forms and no others.
bool is_made_of(const re_dms::JsonForm& form, const nlohmann::json& json) {
  using Kind = re_dms::JsonForm::Kind;
  if (json.is_null()) {
    return true;
  }
  if (form.kind == Kind::Array) {
    return json.is_array() && std::ranges::all_of(json, [&form](const nlohmann::json& element) {
             return is_made_of(form.parts.front(), element) || is_made_of(form, element);
           });
  }
  if (form.kind != Kind::Object) {
    return true;
  }
  return json.is_object() && json.size() == form.parts.size() &&
         std::ranges::all_of(form.parts, [&](const re_dms::JsonForm& part) {
           return json.contains(part.name) && is_made_of(part, json.at(part.name));
         });
}

void require(bool condition) {
  if (!condition) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  re_dms::ByteReader input({reinterpret_cast<const char*>(data), size}, "fuzz input");
  re_dms::ValueLimits limits{.bytes_max = 1'000'000, .string_bytes_max = 65535};
  std::string_view text;
  try {
    limits.form = std::make_shared<const re_dms::JsonForm>(read_form(input, 1));
    text = input.rest();
  } catch (const re_dms::Error&) {
    return 0;
  }
  // No text of PostgreSQL holds one, and the JSON library takes it for the text's end.
  if (text.find('\0') != std::string_view::npos) {
    return 0;
  }
  re_dms::PartsToJson parts;
  std::string json;
  const std::string_view problem = re_dms::to_json(limits, text, parts, json);
  std::string again = "left from before";
  require(re_dms::to_json(limits, text, parts, again) == problem);
  if (!problem.empty()) {
    return 0;
  }
  require(again == json);
  if (!is_checked_by_postgres(*limits.form) && re_dms::is_utf8(text)) {
    require(nlohmann::json::accept(json));
    require(is_made_of(*limits.form, nlohmann::json::parse(json)));
  }
  const auto quotes = static_cast<std::size_t>(std::ranges::count(json, '"'));
  require(json.size() + quotes <= re_dms::csv_growth(*limits.form) * (text.size() + 1));
  return 0;
}
