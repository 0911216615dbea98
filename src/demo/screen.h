// What the person sees: lines that stay, and one live line below them that is rewritten in place on
// a terminal. Elsewhere (a log file, CI) the live line becomes an ordinary line every few seconds.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace re_dms::demo {

/// Writes to stdout. Belongs to the main thread.
class Screen {
 public:
  Screen();
  /// Takes the live line away, so that an error's text starts at the left.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// One or more lines that stay.
  void say(std::string_view text);

  /// A chapter of the demo: an empty line and the text.
  void title(std::string_view text);

  /// The present state of affairs.
  void live(const std::string& text);

 private:
  void clear_live();

  bool terminal_;
  bool live_shown_ = false;
  std::chrono::steady_clock::time_point last_live_{};
};

}  // namespace re_dms::demo
