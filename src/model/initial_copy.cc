#include "model/initial_copy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace re_dms {

namespace {

constexpr std::array kInitialCopyNames = {
    std::pair(InitialCopy::Auto, std::string_view("auto")),
    std::pair(InitialCopy::Adopt, std::string_view("adopt")),
    std::pair(InitialCopy::Never, std::string_view("never")),
};

}  // namespace

std::string_view to_string(InitialCopy initial_copy) {
  return std::ranges::find(kInitialCopyNames, initial_copy,
                           &decltype(kInitialCopyNames)::value_type::first)
      ->second;
}

std::optional<InitialCopy> initial_copy(std::string_view text) {
  const auto found =
      std::ranges::find(kInitialCopyNames, text, &decltype(kInitialCopyNames)::value_type::second);
  return found == kInitialCopyNames.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace re_dms
