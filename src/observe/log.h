// Log lines: an event name, a sentence for people, and fields for machines; text or JSON, to
// standard error.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace re_dms {

enum class LogLevel { Debug, Info, Warn, Error };
enum class LogFormat { Text, Json };

/// A named value of a log line.
struct LogField {
  std::string_view name;
  std::string value;
  bool number = false;

  template <typename T>
  LogField(std::string_view field, const T& what) : name(field), value(fmt::format("{}", what)) {
    number = std::is_arithmetic_v<T>;
  }
};

/// Set once, before threads log.
void configure_log(LogFormat format, LogLevel least);

/// From now on logging never waits for standard error: a thread writes the lines, at most 4 MiB
/// behind. Lines beyond that are lost and counted, and the loss is reported when writing works
/// again. Called once, by main. Without it each line is written where it is logged.
void start_log_thread();

/// Waits until everything logged so far is written, at most for `patience`: before the process
/// ends.
void flush_log(std::chrono::milliseconds patience);

/// Lines lost because nobody read them or they could not be written.
std::uint64_t log_lines_lost();

/// Writes a text for people to standard error, after the lines logged before it.
void print_error(std::string text);

/// Sees lines as they are handed in.
class LogListener {
 public:
  virtual ~LogListener() = default;
  /// On the thread that logs: it must not block, nor log.
  virtual void logged(LogLevel level, std::string_view event, std::string_view message,
                      std::initializer_list<LogField> fields) = 0;
};

/// Sees the warnings and errors from now on, whatever the log shows; null: nobody does. Until it is
/// taken away again, and no thread logs any more that may have begun before, it has to live.
void set_log_listener(LogListener* listener);

/// Hands in one line; from any thread. `event` is a fixed word such as "batch_loaded" that
/// alerts can rely on. Never holds row values.
void log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields = {});

}  // namespace re_dms
