// JSON of the texts that PostgreSQL writes for what is made of parts: arrays, composites, hstore.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "model/json_form.h"

namespace re_dms {

/// The text is not made of the parts that the form has.
inline constexpr std::string_view kOtherParts = "not made of the parts that its type had";

/// Appends to a text until that has `bytes_max` bytes, and nothing from then on: what is made of
/// parts may be many times as long as they are.
class CappedText {
 public:
  CappedText(std::string& text, std::size_t bytes_max) : text_(text), bytes_max_(bytes_max) {}

  CappedText& operator+=(std::string_view piece) {
    text_ += piece.substr(0, bytes_max_ - std::min(bytes_max_, text_.size()));
    return *this;
  }

  CappedText& operator+=(char c) {
    if (!full()) {
      text_ += c;
    }
    return *this;
  }

  bool full() const { return text_.size() >= bytes_max_; }

 private:
  std::string& text_;
  std::size_t bytes_max_;
};

/// Keeps the memory that parts in quotes take, from one value to the next.
class PartsToJson {
 public:
  /// Appends the value as JSON, cut where `json` has one byte more than `bytes_max`. Why there is
  /// none, a constant for people, and then `json` ends anyhow; empty: all of it is there, or so
  /// much that it is too long. A text that is not of its type is found behind the cut too.
  std::string_view append(const JsonForm& form, std::string_view text, std::size_t bytes_max,
                          std::string& json);

  /// Whether something inside an object of the last value stands where JSON is expected, and is
  /// none: another attribute may have taken the place of that one. So do numbers beyond a double
  /// and halves of surrogates count, which PostgreSQL takes for JSON. Elsewhere JSON is of its
  /// column's type.
  bool odd_json() const { return odd_json_; }

  /// Memory that waits for the next value.
  std::size_t kept_bytes() const;

 private:
  std::string_view append(const JsonForm& form, std::string_view text, CappedText& json,
                          std::size_t depth);
  std::string_view append_array(const JsonForm& form, std::string_view text, CappedText& json,
                                std::size_t depth);
  std::string_view append_element(const JsonForm& form, std::string_view& rest, CappedText& json,
                                  std::size_t depth);
  std::string_view append_object(const JsonForm& form, std::string_view text, CappedText& json,
                                 std::size_t depth);
  std::string_view append_field(const JsonForm& form, std::string_view& rest, CappedText& json,
                                std::size_t depth);
  std::string_view append_pairs(std::string_view text, CappedText& json, std::size_t depth);
  bool append_quoted(std::string_view& rest, CappedText& json, std::size_t depth);

  std::string& memory(std::size_t depth);

  /// From the value's first one on: of one form either all JSON is inside objects or none.
  bool in_object_ = false;
  bool odd_json_ = false;
  std::deque<std::string> unquoted_;  ///< by depth; a deque, since the outer ones are in use
};

/// The bytes that a line of CSV has at most for each of a value's.
std::size_t csv_growth(const JsonForm& form);

}  // namespace re_dms
