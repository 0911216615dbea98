#include "model/table_state.h"

#include <algorithm>
#include <array>
#include <utility>

namespace re_dms {

namespace {

constexpr std::array kNames = {
    std::pair(TableState::Waiting, std::string_view("waiting")),
    std::pair(TableState::Copying, std::string_view("copying")),
    std::pair(TableState::CatchingUp, std::string_view("catching up")),
    std::pair(TableState::Live, std::string_view("live")),
    std::pair(TableState::Paused, std::string_view("paused")),
    std::pair(TableState::SetAside, std::string_view("set aside")),
    std::pair(TableState::Removed, std::string_view("removed")),
};

}  // namespace

std::string_view to_string(TableState state) {
  return std::ranges::find(kNames, state, &decltype(kNames)::value_type::first)->second;
}

std::optional<TableState> table_state(std::string_view text) {
  const auto found = std::ranges::find(kNames, text, &decltype(kNames)::value_type::second);
  return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

TableState state_after(Remedy remedy) {
  switch (remedy) {
    case Remedy::Copy:
      return TableState::Waiting;
    case Remedy::Nothing:
      return TableState::Removed;
    case Remedy::Person:
      break;
  }
  return TableState::SetAside;
}

Remedy remedy_of(TableState state) {
  switch (state) {
    case TableState::Waiting:
      return Remedy::Copy;
    case TableState::Removed:
      return Remedy::Nothing;
    default:
      return Remedy::Person;
  }
}

bool is_followed(TableState state) {
  return state == TableState::Live || state == TableState::CatchingUp;
}

bool has_left(TableState state) {
  return state == TableState::Waiting || state == TableState::Paused ||
         state == TableState::SetAside || state == TableState::Removed;
}

}  // namespace re_dms
