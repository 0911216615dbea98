#include "stage/json_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

namespace re_dms {

namespace {

constexpr std::string_view kJsonTooLong = "longer than the target's column";
constexpr std::string_view kJsonTooDeep = "JSON that is nested deeper than the target reads";
constexpr std::string_view kJsonLongString = "JSON with a string that is longer than the target's";
constexpr std::string_view kJsonNoText = "JSON with a character that the target does not have";
constexpr std::string_view kJsonTwice = "JSON with a key that is there twice";
constexpr std::string_view kJsonNumber = "JSON with a number that the target would change";

// Redshift database developer guide, "Limitations" of SUPER; "Numeric types" of DECIMAL.
constexpr std::size_t kJsonDepthMax = 1000;
constexpr std::size_t kDecimalDigitsMax = 38;
constexpr std::size_t kDecimalScaleMax = 37;

/// A number as its digits, without zeros around them, and the power of ten of the last one.
struct Decimal {
  std::string digits{};
  long exponent = 0;

  bool operator==(const Decimal&) const = default;
};

Decimal decimal_of(std::string_view number) {
  Decimal decimal;
  const std::size_t mark = std::min(number.find_first_of("eE"), number.size());
  std::string_view power = number.substr(std::min(mark + 1, number.size()));
  power.remove_prefix(power.starts_with('+') ? 1 : 0);
  std::from_chars(power.data(), power.data() + power.size(), decimal.exponent);
  bool fraction = false;
  for (const char c : number.substr(0, mark)) {
    if (c == '.') {
      fraction = true;
    } else if (c != '-') {
      decimal.digits += c;
      decimal.exponent -= fraction ? 1 : 0;
    }
  }
  decimal.digits.erase(0, std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size()));
  while (decimal.digits.ends_with('0')) {
    decimal.digits.pop_back();
    ++decimal.exponent;
  }
  decimal.exponent = decimal.digits.empty() ? 0 : decimal.exponent;
  return decimal;
}

/// As a DECIMAL, or as the double whose shortest text is this.
bool keeps_number(std::string_view number) {
  if (number.find_first_of("eE") == number.npos) {
    const std::size_t point = number.find('.');
    const std::size_t scale = point == number.npos ? 0 : number.size() - point - 1;
    const std::size_t digits =
        number.size() - (number.starts_with('-') ? 1 : 0) - (point == number.npos ? 0 : 1);
    return digits <= kDecimalDigitsMax && scale <= kDecimalScaleMax;
  }
  double value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
    return false;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  return decimal_of({text, end.ptr}) == decimal_of(number);
}

/// Walks over a text that is known to be JSON.
class JsonWalk {
 public:
  JsonWalk(const ValueLimits& limits, std::string_view json) : limits_(limits), rest_(json) {}

  std::string_view problem() {
    while (!rest_.empty() && problem_.empty()) {
      step();
    }
    return problem_;
  }

 private:
  struct Level {
    bool object = false;
    bool at_key = false;
    std::vector<std::string> keys{};
  };

  void step() {
    const char c = rest_.front();
    if (c == '"') {
      string();
      return;
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
      number();
      return;
    }
    rest_.remove_prefix(1);
    if (c == '{' || c == '[') {
      levels_.push_back({c == '{', c == '{'});
      problem_ = levels_.size() > kJsonDepthMax ? kJsonTooDeep : problem_;
    } else if (c == '}' || c == ']') {
      close();
    } else if (c == ',' && !levels_.empty()) {
      levels_.back().at_key = levels_.back().object;
    } else if (c == ':' && !levels_.empty()) {
      levels_.back().at_key = false;
    }
  }

  void close() {
    if (levels_.empty()) {
      return;
    }
    std::vector<std::string>& keys = levels_.back().keys;
    std::ranges::sort(keys);
    if (std::ranges::adjacent_find(keys) != keys.end()) {
      problem_ = kJsonTwice;
    }
    levels_.pop_back();
  }

  void number() {
    const std::size_t size = std::min(rest_.find_first_not_of("+-.0123456789eE"), rest_.size());
    if (!keeps_number(rest_.substr(0, size))) {
      problem_ = kJsonNumber;
    }
    rest_.remove_prefix(size);
  }

  void string() {
    std::string text;
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      const std::size_t plain = std::min(rest_.find_first_of("\"\\"), rest_.size());
      text += rest_.substr(0, plain);
      rest_.remove_prefix(plain);
      if (rest_.starts_with('\\')) {
        escape(text);
      }
    }
    rest_.remove_prefix(rest_.empty() ? 0 : 1);
    if (text.size() > limits_.string_bytes_max) {
      problem_ = kJsonLongString;
    }
    if (!levels_.empty() && levels_.back().at_key) {
      levels_.back().keys.push_back(std::move(text));
    }
  }

  std::uint32_t hex() {
    std::uint32_t code = 0;
    const std::string_view digits = rest_.substr(2, 4);
    std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    rest_.remove_prefix(std::min<std::size_t>(6, rest_.size()));
    return code;
  }

  void escape(std::string& text) {
    if (!rest_.starts_with("\\u")) {
      constexpr std::string_view kLetters = "bfnrt";
      constexpr std::string_view kMeant = "\b\f\n\r\t";
      const char letter = rest_.size() > 1 ? rest_[1] : ' ';
      const std::size_t at = kLetters.find(letter);
      text += at == kLetters.npos ? letter : kMeant[at];
      rest_.remove_prefix(std::min<std::size_t>(2, rest_.size()));
      return;
    }
    std::uint32_t code = hex();
    if (code >= 0xD800 && code < 0xDC00 && rest_.starts_with("\\u")) {
      const std::uint32_t low = hex();
      code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : 0;
    }
    if (code == 0 || (code >= 0xD800 && code < 0xE000)) {
      problem_ = kJsonNoText;
      return;
    }
    append_utf8(code, text);
  }

  static void append_utf8(std::uint32_t code, std::string& text) {
    const auto byte = [&text](std::uint32_t bits) { text += static_cast<char>(bits); };
    if (code < 0x80) {
      byte(code);
      return;
    }
    if (code < 0x800) {
      byte(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        byte(0xE0 | code >> 12);
      } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
      }
      byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
  }

  const ValueLimits& limits_;
  std::string_view rest_;
  std::string_view problem_{};
  std::vector<Level> levels_{};
};

}  // namespace

std::string_view json_problem(const ValueLimits& limits, std::string_view json) {
  return json.size() > limits.bytes_max ? kJsonTooLong : JsonWalk(limits, json).problem();
}

std::string_view to_json(const ValueLimits& limits, std::string_view text, PartsToJson& parts,
                         std::string& json) {
  json.clear();
  std::string_view problem = parts.append(*limits.form, text, limits.bytes_max, json);
  if (problem.empty()) {
    problem = json_problem(limits, json);
  }
  // What may be JSON for PostgreSQL alone has a problem by now.
  if (problem.empty() && parts.odd_json()) {
    problem = kOtherParts;
  }
  return problem;
}

}  // namespace re_dms
