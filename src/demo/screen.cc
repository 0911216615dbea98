#include "demo/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace re_dms::demo {

namespace {

constexpr std::chrono::seconds kQuietInterval{5};
constexpr unsigned short kUsualColumns = 80;
constexpr unsigned short kUsualRows = 24;

/// A live line that wrapped, or scrolled away, could not be taken back.
winsize terminal_size() {
  winsize size{};
  const bool known =
      ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1;
  return known ? size : winsize{kUsualRows, kUsualColumns, 0, 0};
}

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

Screen::~Screen() {
  clear_live();
  std::fflush(stdout);
}

void Screen::say(std::string_view text) {
  clear_live();
  put(text);
  put("\n");
  std::fflush(stdout);
}

void Screen::title(std::string_view text) {
  clear_live();
  put("\n");
  say(text);
}

void Screen::live(std::string_view text) {
  if (terminal_) {
    clear_live();
    const winsize size = terminal_size();
    while (!text.empty() && live_lines_ + 1 < size.ws_row) {
      const std::size_t end = text.find('\n');
      put(live_lines_ == 0 ? "" : "\n");
      put(text.substr(0, end).substr(0, size.ws_col - 1U));
      ++live_lines_;
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    std::fflush(stdout);
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - last_live_ >= kQuietInterval) {
    last_live_ = now;
    say(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text);
  }
}

void Screen::clear_live() {
  for (; live_lines_ > 0; --live_lines_) {
    put(live_lines_ > 1 ? "\r\033[K\033[A" : "\r\033[K");
  }
}

}  // namespace re_dms::demo
