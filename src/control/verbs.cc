#include "control/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "source/catalog/pattern.h"
#include "tables/loading_pause.h"

namespace re_dms {

namespace {

constexpr const char* kNothingChanged =
    "`re_dms status` shows tables that are not live; nothing was changed";

/// Throws Usage for a pattern that no table matches.
std::vector<TableRecord> matching(const TableStates& tables,
                                  const std::vector<std::string>& patterns) {
  const std::vector<TableRecord> all = tables.all();
  std::vector<TableRecord> found;
  for (const std::string& text : patterns) {
    const TablePattern pattern(text);
    const auto before = found.size();
    std::ranges::copy_if(all, std::back_inserter(found),
                         [&](const TableRecord& table) { return pattern.matches(table.name); });
    if (found.size() == before) {
      throw Error(ErrorKind::Usage, fmt::format("no table matches {}", text), kNothingChanged);
    }
  }
  std::ranges::sort(found, {}, &TableRecord::oid);
  const auto rest = std::ranges::unique(found, {}, &TableRecord::oid);
  found.erase(rest.begin(), rest.end());
  return found;
}

/// A table that is never copied stays as it is while it is followed: beginning again would skip
/// changes.
bool may_be_copied(const TableStates& tables, const TableRecord& table) {
  return !is_followed(table.state) || !tables.copies_forbidden(table.name);
}

std::string resync(const TableStates& tables, const TableRecord& table) {
  if (!may_be_copied(tables, table)) {
    return "is not copied anew: its initial_copy is \"never\"; give it \"adopt\" or \"auto\" in "
           "the "
           "configuration first";
  }
  return tables.copies_forbidden(table.name)
             ? "begins again without its rows, where the source stands now: its initial_copy is "
               "\"never\""
             : "is copied anew";
}

std::string pause(const TableStates& /*tables*/, const TableRecord& table) {
  switch (table.state) {
    case TableState::Live:
    case TableState::CatchingUp:
      return "is paused: the journal keeps its changes";
    case TableState::Waiting:
    case TableState::Copying:
      return "is paused: its copy begins anew when it is resumed";
    case TableState::Paused:
      return "is paused already";
    case TableState::SetAside:
      return "is set aside, and waits for you already";
    case TableState::Removed:
      break;
  }
  return "is no longer in the source";
}

/// Only a copy helps the table, which is more than what was asked for.
bool needs_resync(const TableRecord& table) {
  const bool holds_nothing = table.state == TableState::Paused && !table.position.known();
  const bool stands = table.state == TableState::Paused || table.state == TableState::SetAside;
  return stands && !table.resumable && !holds_nothing;
}

std::string resume(const TableStates& /*tables*/, const TableRecord& table) {
  switch (table.state) {
    case TableState::Paused:
    case TableState::SetAside:
      if (needs_resync(table)) {
        return "cannot go on where it stands: its changes are not in the journal, or the stream "
               "cannot tell them; `re_dms resync` copies it anew";
      }
      return table.resumable ? "goes on where it stands" : "is copied";
    case TableState::Removed:
      return "is no longer in the source";
    default:
      break;
  }
  return fmt::format("is {} already", to_string(table.state));
}

bool is_possible(const TableStates& tables, const TableRecord& table, Wish wish) {
  switch (wish) {
    case Wish::Copy:
    case Wish::Heal:
      return may_be_copied(tables, table);
    case Wish::Resume:
      return !needs_resync(table);
    case Wish::Pause:
      break;
  }
  return true;
}

using Verb = std::string (*)(const TableStates&, const TableRecord&);

HttpReply ask_for(const ControlWiring& wiring, const std::vector<std::string>& patterns, Wish wish,
                  Verb verb) {
  TableStates& tables = wiring.tables;
  if (!tables.begun()) {
    throw Error(ErrorKind::Transient, "re_dms has not opened its target yet", "Ask again soon");
  }
  const std::vector<TableRecord> found = matching(tables, patterns);
  const auto possible = [&](const TableRecord& table) { return is_possible(tables, table, wish); };
  if (std::ranges::none_of(found, possible)) {
    const TableRecord& table = found.front();
    throw Error(ErrorKind::Usage, fmt::format("{} {}", to_string(table.name), verb(tables, table)),
                "Nothing was changed");
  }
  std::string text;
  for (const TableRecord& table : found) {
    text += fmt::format("{} {}\n", to_string(table.name), verb(tables, table));
  }
  // Also of tables that are so already: what was asked for before may still be on its way.
  for (const TableRecord& table : found) {
    if (possible(table)) {
      tables.wish(table.oid, wish);
    }
  }
  if (tables.loading_paused()) {
    text += "all loading is paused: this is done after `re_dms resume`\n";
  } else if (!tables.wait_for_wishes(wiring.patience)) {
    text +=
        "the target is busy: this is done after the load that runs, unless re_dms ends before\n";
  }
  return {200, kTextType, text};
}

HttpReply pause_loading(const ControlWiring& wiring, bool paused) {
  const bool was = wiring.tables.loading_paused();
  store_loading_pause(wiring.files, wiring.journal_directory, paused);
  wiring.tables.pause_loading(paused);
  if (paused) {
    return {200, kTextType,
            "loading is paused, also after a restart, until `re_dms resume`; changes are read into "
            "the journal meanwhile\n"};
  }
  return {200, kTextType, was ? "loading goes on\n" : "loading was not paused\n"};
}

}  // namespace

std::vector<HttpRoute> control_routes(const ControlWiring& wiring) {
  using Patterns = std::vector<std::string>;
  return {{"/resync",
           {},
           [wiring](const Patterns& patterns) {
             if (patterns.empty()) {
               throw Error(ErrorKind::Usage, "no table is named");
             }
             return ask_for(wiring, patterns, Wish::Copy, resync);
           }},
          {"/pause",
           {},
           [wiring](const Patterns& patterns) {
             return patterns.empty() ? pause_loading(wiring, true)
                                     : ask_for(wiring, patterns, Wish::Pause, pause);
           }},
          {"/resume", {}, [wiring](const Patterns& patterns) {
             return patterns.empty() ? pause_loading(wiring, false)
                                     : ask_for(wiring, patterns, Wish::Resume, resume);
           }}};
}

}  // namespace re_dms
