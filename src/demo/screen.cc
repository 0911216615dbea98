#include "demo/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace re_dms::demo {

namespace {

constexpr std::chrono::seconds kQuietInterval{5};
constexpr std::size_t kUsualColumns = 80;

/// A live line that wrapped could not be taken back.
std::size_t terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualColumns;
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

void Screen::live(const std::string& text) {
  if (terminal_) {
    put("\r\033[K");
    put(std::string_view(text).substr(0, terminal_columns() - 1));
    live_shown_ = true;
    std::fflush(stdout);
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - last_live_ >= kQuietInterval) {
    last_live_ = now;
    say(text);
  }
}

void Screen::clear_live() {
  if (live_shown_) {
    put("\r\033[K");
    live_shown_ = false;
  }
}

}  // namespace re_dms::demo
