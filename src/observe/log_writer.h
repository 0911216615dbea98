// Passes lines to standard error so that logging never waits for whoever reads them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace re_dms {

/// Writes all bytes, waiting where the descriptor does not block. False on an error: the rest was
/// not written.
bool write_all(int descriptor, std::string_view bytes);

/// A bounded queue of lines and the thread that writes them, one after the other, in the order in
/// which they came. Lines that find no room, or whose write fails, are lost and counted; a notice
/// of that precedes the next line that is written.
class LogWriter {
 public:
  /// The line that says how many were lost.
  using Notice = std::function<std::string(std::uint64_t lost)>;

  /// `descriptor` stays open as long as the process lives: the thread may be stuck in a write
  /// forever. `bytes_max` bounds the waiting lines; a longer line is taken when none is waiting.
  LogWriter(int descriptor, std::size_t bytes_max, Notice notice);

  /// Does not wait: call flush() before. What was handed in is written if that still works.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// From any thread; never waits for the descriptor.
  void write(std::string line);

  /// Waits until all lines handed in before are written or lost, at most for `patience`; false when
  /// that passed.
  bool flush(std::chrono::milliseconds patience);

  /// Lines lost so far.
  std::uint64_t lost() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread, which may outlive this
};

}  // namespace re_dms
