#include "app/status_watch.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/status_pages.h"
#include "app/status_text.h"
#include "base/error.h"
#include "base/retry.h"
#include "observe/copies_text.h"

namespace re_dms {

namespace {

constexpr std::string_view kToTheTop = "\033[H";
constexpr std::string_view kClearLine = "\033[K\n";
constexpr std::string_view kClearBelow = "\033[J";

/// As many characters as fit; a byte that continues one of UTF-8 takes no room.
std::string_view cut(std::string_view line, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80U;
    characters += continues ? 0 : 1;
    if (characters > columns) {
      return line.substr(0, i);
    }
  }
  return line;
}

std::optional<DaemonStatus> try_to_ask(const std::optional<ListenAddress>& listen) {
  try {
    return parse_status(fetch_status(listen).body);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<TerminalSize> terminal_size() {
  if (::isatty(STDOUT_FILENO) == 0) {
    return std::nullopt;
  }
  winsize size{};
  const bool known =
      ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  return known ? TerminalSize{size.ws_col, size.ws_row} : TerminalSize{};
}

std::string screen_text(std::string_view page, const TerminalSize& size) {
  std::string text(kToTheTop);
  // The last row is the cursor's.
  for (std::size_t row = 1; row < size.rows && !page.empty(); ++row) {
    const std::size_t end = page.find('\n');
    text += cut(page.substr(0, end), size.columns);
    text += kClearLine;
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
  }
  text += kClearBelow;
  return text;
}

std::string watch_line(const DaemonStatus& status) {
  std::string text = fmt::format("{}  {}, {} live", to_text(status.now).substr(0, 19),
                                 state_text(status), status.tables.live);
  if (!status.tables.not_live.empty()) {
    text += fmt::format(", {} set aside", status.tables.not_live.size());
  }
  if (const std::string copies = copies_line(status.tables.copies); !copies.empty()) {
    text += "; " + copies;
  }
  return fmt::format("{}; {}\n", text, lag_text(status.lag));
}

ExitCode watch_status(const std::optional<ListenAddress>& listen, const StatusWatch& watch,
                      std::ostream& out) {
  std::optional<DaemonStatus> status = parse_status(fetch_status(listen).body);
  ExitCode code = exit_code_of(*status);
  bool cleared = false;
  for (int missed = 0; missed < watch.misses; missed = status ? 0 : missed + 1) {
    if (status) {
      code = exit_code_of(*status);
      const auto terminal = watch.terminal();
      if (terminal && !cleared) {
        out << kToTheTop << kClearBelow;
        cleared = true;
      }
      out << (terminal ? screen_text(to_text(*status), *terminal) : watch_line(*status))
          << std::flush;
    }
    wait_for(watch.interval, {});
    status = try_to_ask(listen);
  }
  out << "re_dms does not answer any more: it has ended\n" << std::flush;
  return code;
}

}  // namespace re_dms
