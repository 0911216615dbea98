// What a running daemon says about its copies: a part of its status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace re_dms {

/// Over the last 30 seconds. Empty: too early to tell, or nothing moves.
struct PaceStatus {
  std::optional<double> rows_per_second;
  std::optional<double> bytes_per_second;  ///< of what `seconds_left` is about
  std::optional<double> seconds_left;
};

/// A table on its way to being live.
struct ComingTable {
  std::string table;
  std::string state;       ///< "waiting", "copying", "catching up"
  std::string reason;      ///< why it is copied, or why the last try failed; may be empty
  std::uint64_t rows = 0;  ///< that the target has
  std::uint64_t rows_estimated = 0;
  std::uint64_t bytes = 0;  ///< of the table's file in the source, that the target has
  std::uint64_t bytes_estimated = 0;
  /// Of a table that catches up: still to be read for it; empty before that began.
  std::optional<std::uint64_t> journal_bytes_left;
  PaceStatus pace;
};

/// All tables on their way together, with those that became live since the first of them began.
/// Zero where none is on its way.
struct CopiesStatus {
  std::optional<SystemTime> since;  ///< when the first of them began; empty: none is on its way
  std::uint64_t waiting = 0;
  std::uint64_t copying = 0;
  std::uint64_t catching_up = 0;
  std::uint64_t live = 0;  ///< since then
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_estimated = 0;
  std::uint64_t journal_bytes_left = 0;  ///< of the table that has most
  PaceStatus pace;
};

}  // namespace re_dms
