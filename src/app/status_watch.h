// `re_dms status --watch`: the status of a running daemon, again and again.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/exit_code.h"
#include "observe/listen_address.h"
#include "observe/status.h"

namespace re_dms {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Of standard output; nothing where that is no terminal.
std::optional<TerminalSize> terminal_size();

/// The page in the place of the one before it: lines and columns that do not fit are left out, so
/// that nothing scrolls or wraps.
std::string screen_text(std::string_view page, const TerminalSize& size);

/// "2026-01-31 12:00:00  streaming, 12 live; 2 copying; 1.2 GiB of about 4 GiB (30 %); up to date".
std::string watch_line(const DaemonStatus& status);

/// How the status is watched.
struct StatusWatch {
  std::chrono::milliseconds interval{1000};
  int misses = 3;  ///< so many questions without an answer, one after the other: it has ended
  /// Asked for each page; without a terminal there is a line instead.
  std::function<std::optional<TerminalSize>()> terminal = terminal_size;
};

/// Until the daemon ends; a person ends it earlier by Ctrl-C. Throws as show_status where there is
/// none to begin with; returns what that would at the last answer.
ExitCode watch_status(const std::optional<ListenAddress>& listen, const StatusWatch& watch,
                      std::ostream& out);

}  // namespace re_dms
