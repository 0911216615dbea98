// Log lines: an event name, a sentence for people, and fields for machines; text or JSON, to
// standard error.
#pragma once

#include <fmt/format.h>

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

/// Set once by main, before threads exist.
void configure_log(LogFormat format, LogLevel least);

/// Writes one line at once; from any thread. `event` is a fixed word such as "batch_loaded" that
/// alerts can rely on. Never holds row values.
void log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields = {});

}  // namespace re_dms
