// Where a table is on its way from the source to the target.
#pragma once

#include <optional>
#include <string_view>

namespace re_dms {

enum class TableState {
  Waiting,     ///< to be copied; its changes are skipped until then
  Copying,     ///< rows of a copy are in the target, beside the table
  CatchingUp,  ///< holds a copy; the changes since then are read for it alone
  Live,        ///< its changes are loaded with those of all other live tables
  Paused,      ///< somebody wants it left as it is until they say otherwise
  SetAside,    ///< cannot go on before a person has decided something
  Removed,     ///< the source has it no longer; what the target has of it stays
};

/// "waiting", "copying", "catching up", "live", "paused", "set aside", "removed": for people, and
/// as targets store it.
std::string_view to_string(TableState state);

/// Nothing for a text that to_string does not give.
std::optional<TableState> table_state(std::string_view text);

/// What brings a table back that cannot go on.
enum class Remedy {
  Person,   ///< somebody has to decide something first
  Copy,     ///< its rows are copied anew
  Nothing,  ///< the source has it no longer
};

/// Where a table is that cannot go on, and the reverse.
TableState state_after(Remedy remedy);
Remedy remedy_of(TableState state);

/// Changes are added to the rows that a table of this state holds.
bool is_followed(TableState state);

/// No rows come for a table of this state.
bool has_left(TableState state);

/// What somebody asks of a table.
enum class Wish {
  Copy,    ///< copy its rows anew
  Heal,    ///< the same, but nobody asked: its changes are gone
  Pause,   ///< leave it as it is; its changes are kept
  Resume,  ///< go on where it stands
};

}  // namespace re_dms
