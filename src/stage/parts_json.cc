#include "stage/parts_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace re_dms {

namespace {

constexpr std::string_view kNoNumber =
    "an array or composite with a number that JSON does not have";
constexpr std::string_view kBounds = "an array whose numbering does not begin at 1";

// PostgreSQL 15, array.h: MAXDIM.
constexpr std::size_t kDimensionsMax = 6;

/// What a part in quotes may leave behind for the next value.
constexpr std::size_t kKeptBytesMax = 1 << 20;

void append_string(CappedText& json, std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  const auto is_special = [](char c) {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ';
  };
  json += '"';
  while (!text.empty() && !json.full()) {
    const auto special = std::ranges::find_if(text, is_special);
    const auto plain = static_cast<std::size_t>(special - text.begin());
    json += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      break;
    }
    const char c = text.front();
    text.remove_prefix(1);
    json += '\\';
    if (c == '"' || c == '\\') {
      json += c;
    } else {
      json += "u00";
      json += kHexDigits[static_cast<unsigned char>(c) >> 4];
      json += kHexDigits[static_cast<unsigned char>(c) & 0xF];
    }
  }
  json += '"';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes the digits at the beginning; whether there is one.
bool take_digits(std::string_view& text) {
  const auto other = std::ranges::find_if_not(text, is_digit);
  const auto digits = static_cast<std::size_t>(other - text.begin());
  text.remove_prefix(digits);
  return digits > 0;
}

/// RFC 8259, section 6.
bool is_json_number(std::string_view text) {
  text.remove_prefix(text.starts_with('-') ? 1 : 0);
  const bool zero = text.starts_with('0');
  const std::size_t before = text.size();
  if (!take_digits(text) || (zero && before - text.size() > 1)) {
    return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits(text)) {
      return false;
    }
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    text.remove_prefix(text.starts_with('+') || text.starts_with('-') ? 1 : 0);
    if (!take_digits(text)) {
      return false;
    }
  }
  return text.empty();
}

bool is_odd_number(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

/// How a type's output function writes a quote and a backslash inside quotes.
enum class Quoting {
  Backslashes,  ///< \" and \\: arrays, hstore
  Doubled,      ///< "" and \\: composites
};

/// What stands in the quotes that `rest` begins with; takes it. Without escapes a view of it, else
/// put together in `memory`. Nothing where the quotes do not end.
std::optional<std::string_view> take_quoted(std::string_view& rest, Quoting quoting,
                                            std::string& memory) {
  rest.remove_prefix(1);
  memory.clear();
  for (;;) {
    const std::size_t plain = rest.find_first_of("\"\\");
    if (plain == rest.npos) {
      return std::nullopt;
    }
    const std::string_view piece = rest.substr(0, plain);
    const bool escaped =
        plain + 1 < rest.size() &&
        (rest[plain] == '\\' || (quoting == Quoting::Doubled && rest[plain + 1] == '"'));
    if (!escaped) {
      if (rest[plain] == '\\') {
        return std::nullopt;
      }
      rest.remove_prefix(plain + 1);
      if (memory.empty()) {
        return piece;
      }
      memory += piece;
      return memory;
    }
    memory += piece;
    memory += rest[plain + 1];
    rest.remove_prefix(plain + 2);
  }
}

bool take(std::string_view& rest, std::string_view expected) {
  const bool there = rest.starts_with(expected);
  rest.remove_prefix(there ? expected.size() : 0);
  return there;
}

}  // namespace

std::string_view PartsToJson::append(const JsonForm& form, std::string_view text,
                                     std::size_t bytes_max, std::string& json) {
  in_object_ = false;
  odd_json_ = false;
  CappedText capped(json, bytes_max + 1);
  const std::string_view problem = append(form, text, capped, 0);
  for (std::string& unquoted : unquoted_) {
    if (unquoted.capacity() > kKeptBytesMax) {
      std::string().swap(unquoted);
    }
  }
  return problem;
}

std::size_t PartsToJson::kept_bytes() const {
  std::size_t bytes = 0;
  for (const std::string& unquoted : unquoted_) {
    bytes += unquoted.capacity();
  }
  return bytes;
}

std::string& PartsToJson::memory(std::size_t depth) {
  while (unquoted_.size() <= depth) {
    unquoted_.emplace_back();
  }
  return unquoted_[depth];
}

std::string_view PartsToJson::append(const JsonForm& form, std::string_view text, CappedText& json,
                                     std::size_t depth) {
  switch (form.kind) {
    case JsonForm::Kind::Text:
      append_string(json, text);
      return {};
    case JsonForm::Kind::Number:
      if (!is_json_number(text)) {
        return is_odd_number(text) ? kNoNumber : kOtherParts;
      }
      json += text;
      return {};
    case JsonForm::Kind::Boolean:
      if (text != "t" && text != "f") {
        return kOtherParts;
      }
      json += text == "t" ? "true" : "false";
      return {};
    case JsonForm::Kind::Json:
      // By itself: `1,"b":2` is part of an object, and no attribute's JSON.
      odd_json_ = odd_json_ || (in_object_ && !nlohmann::json::accept(text));
      json += text;
      return {};
    case JsonForm::Kind::Array:
      return append_array(form, text, json, depth);
    case JsonForm::Kind::Object:
      return append_object(form, text, json, depth);
    case JsonForm::Kind::Pairs:
      return append_pairs(text, json, depth);
  }
  return kOtherParts;
}

// PostgreSQL 15, array_out: bounds come first where one does not begin at 1.
std::string_view PartsToJson::append_array(const JsonForm& form, std::string_view text,
                                           CappedText& json, std::size_t depth) {
  if (text.starts_with('[')) {
    return kBounds;
  }
  std::size_t level = 0;
  bool item = true;     // one may come
  bool opened = false;  // a brace just now
  while (!text.empty() && (level > 0 || item)) {
    const char c = text.front();
    const bool begins = opened;
    opened = false;
    if (c == '{' && item) {
      ++level;
      opened = true;
      json += '[';
    } else if (c == '}' && level > 0 && (!item || begins)) {
      --level;
      item = false;
      json += ']';
    } else if (c == form.delimiter && !item) {
      item = true;
      json += ',';
    } else if (item && level > 0) {
      if (const auto problem = append_element(form, text, json, depth); !problem.empty()) {
        return problem;
      }
      item = false;
      continue;
    } else {
      return kOtherParts;
    }
    if (level > kDimensionsMax) {
      return kOtherParts;
    }
    text.remove_prefix(1);
  }
  return text.empty() && level == 0 && !item ? std::string_view{} : kOtherParts;
}

/// One element, quoted or not, from `rest`, which begins with it.
std::string_view PartsToJson::append_element(const JsonForm& form, std::string_view& rest,
                                             CappedText& json, std::size_t depth) {
  const JsonForm& part = form.parts.front();
  if (rest.starts_with('"')) {
    const auto text = take_quoted(rest, Quoting::Backslashes, memory(depth));
    return text ? append(part, *text, json, depth + 1) : kOtherParts;
  }
  const auto ends = [&form](char c) { return c == form.delimiter || c == '}'; };
  const auto size = static_cast<std::size_t>(std::ranges::find_if(rest, ends) - rest.begin());
  const std::string_view text = rest.substr(0, size);
  rest.remove_prefix(size);
  if (text == "NULL") {
    json += "null";
    return {};
  }
  return text.empty() ? kOtherParts : append(part, text, json, depth + 1);
}

// PostgreSQL 15, record_out: NULL is nothing at all, so a composite of one attribute looks like one
// of none.
std::string_view PartsToJson::append_object(const JsonForm& form, std::string_view text,
                                            CappedText& json, std::size_t depth) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') {
    return kOtherParts;
  }
  text.remove_prefix(1);
  text.remove_suffix(1);
  in_object_ = true;
  json += '{';
  bool first = true;
  for (const JsonForm& part : form.parts) {
    if (!first && !take(text, ",")) {
      return kOtherParts;
    }
    json += first ? "" : ",";
    first = false;
    append_string(json, part.name);
    json += ':';
    if (const auto problem = append_field(part, text, json, depth); !problem.empty()) {
      return problem;
    }
  }
  json += '}';
  return text.empty() ? std::string_view{} : kOtherParts;
}

/// One field, quoted or not, from `rest`, which begins with it.
std::string_view PartsToJson::append_field(const JsonForm& form, std::string_view& rest,
                                           CappedText& json, std::size_t depth) {
  if (rest.starts_with('"')) {
    const auto text = take_quoted(rest, Quoting::Doubled, memory(depth));
    return text ? append(form, *text, json, depth + 1) : kOtherParts;
  }
  const std::size_t size = std::min(rest.find_first_of(",\"\\()"), rest.size());
  const std::string_view text = rest.substr(0, size);
  rest.remove_prefix(size);
  if (text.empty()) {
    json += "null";
    return {};
  }
  return append(form, text, json, depth + 1);
}

// PostgreSQL 15, contrib/hstore/hstore_io.c, hstore_out.
std::string_view PartsToJson::append_pairs(std::string_view text, CappedText& json,
                                           std::size_t depth) {
  json += '{';
  bool first = true;
  while (!text.empty()) {
    if (!first && !take(text, ", ")) {
      return kOtherParts;
    }
    json += first ? "" : ",";
    first = false;
    if (!append_quoted(text, json, depth) || !take(text, "=>")) {
      return kOtherParts;
    }
    json += ':';
    if (take(text, "NULL")) {
      json += "null";
    } else if (!append_quoted(text, json, depth)) {
      return kOtherParts;
    }
  }
  json += '}';
  return {};
}

/// As a string.
bool PartsToJson::append_quoted(std::string_view& rest, CappedText& json, std::size_t depth) {
  if (!rest.starts_with('"')) {
    return false;
  }
  const auto text = take_quoted(rest, Quoting::Backslashes, memory(depth));
  if (text) {
    append_string(json, *text);
  }
  return text.has_value();
}

std::size_t csv_growth(const JsonForm& form) {
  // A control character becomes \u0001, `a,` becomes ""a"",.
  std::size_t growth = 6;
  for (const JsonForm& part : form.parts) {
    if (form.kind == JsonForm::Kind::Object) {
      // A field that is NULL is a comma in PostgreSQL's text, or a parenthesis.
      constexpr std::string_view kBesideName = "{:null,";
      std::string name;
      CappedText whole(name, name.max_size());
      append_string(whole, part.name);
      const auto quotes = static_cast<std::size_t>(std::ranges::count(name, '"'));
      growth = std::max(growth, name.size() + quotes + kBesideName.size());
    }
    growth = std::max(growth, csv_growth(part));
  }
  return growth;
}

}  // namespace re_dms
