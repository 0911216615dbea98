// JSON of the texts that PostgreSQL writes for what is made of parts: arrays, composites, hstore.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "model/json_form.h"

namespace re_dms {

/// The text is not made of the parts that the form has.
inline constexpr std::string_view kOtherParts = "not made of the parts that its type had";

/// Keeps the memory that parts in quotes take, from one value to the next.
class PartsToJson {
 public:
  /// Appends the value as JSON. Why there is none, a constant for people, and then `json` ends
  /// anyhow; empty: all of it is there.
  std::string_view append(const JsonForm& form, std::string_view text, std::string& json) {
    return append(form, text, json, 0);
  }

 private:
  std::string_view append(const JsonForm& form, std::string_view text, std::string& json,
                          std::size_t depth);
  std::string_view append_array(const JsonForm& form, std::string_view text, std::string& json,
                                std::size_t depth);
  std::string_view append_element(const JsonForm& form, std::string_view& rest, std::string& json,
                                  std::size_t depth);
  std::string_view append_object(const JsonForm& form, std::string_view text, std::string& json,
                                 std::size_t depth);
  std::string_view append_field(const JsonForm& form, std::string_view& rest, std::string& json,
                                std::size_t depth);
  std::string_view append_pairs(std::string_view text, std::string& json, std::size_t depth);
  bool append_quoted(std::string_view& rest, std::string& json, std::size_t depth);

  std::string& memory(std::size_t depth);

  std::deque<std::string> unquoted_;  ///< by depth; a deque, since the outer ones are in use
};

/// The bytes that a line of CSV has at most for each of a value's.
std::size_t csv_growth(const JsonForm& form);

/// Whether JSON as it is stands inside an object, where it is of the attribute's type only as long
/// as that is the one it was.
bool has_json_in_object(const JsonForm& form);

}  // namespace re_dms
