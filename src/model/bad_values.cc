#include "model/bad_values.h"

#include <algorithm>
#include <array>
#include <utility>

namespace re_dms {

namespace {

constexpr std::array kBadValuesNames = {
    std::pair(BadValues::Usual, std::string_view("usual")),
    std::pair(BadValues::Error, std::string_view("error")),
    std::pair(BadValues::Null, std::string_view("null")),
    std::pair(BadValues::Clamp, std::string_view("clamp")),
    std::pair(BadValues::Truncate, std::string_view("truncate")),
};

}  // namespace

std::string_view to_string(BadValues policy) {
  return std::ranges::find(kBadValuesNames, policy, &decltype(kBadValuesNames)::value_type::first)
      ->second;
}

std::optional<BadValues> bad_values(std::string_view text) {
  const auto found =
      std::ranges::find(kBadValuesNames, text, &decltype(kBadValuesNames)::value_type::second);
  return found == kBadValuesNames.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace re_dms
