// What the person sees: lines that stay, and live lines below them that are rewritten in place on a
// terminal. Elsewhere (a log file, CI) they become ordinary lines every few seconds.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace re_dms::demo {

/// Writes to stdout. Belongs to the main thread.
class Screen {
 public:
  Screen();
  /// Takes the live lines away, so that an error's text starts at the left.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// One or more lines that stay.
  void say(std::string_view text);

  /// A chapter of the demo: an empty line and the text.
  void title(std::string_view text);

  /// The present state of affairs, in one line or more.
  void live(std::string_view text);

 private:
  void clear_live();

  bool terminal_;
  std::size_t live_lines_ = 0;  ///< that are shown
  std::chrono::steady_clock::time_point last_live_{};
};

}  // namespace re_dms::demo
