#include "observe/log.h"

#include <unistd.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "observe/log_writer.h"

namespace re_dms {

namespace {

constexpr std::size_t kWaitingBytesMax = 4U << 20;

/// Read from any thread.
struct LogSettings {
  std::atomic<LogFormat> format{LogFormat::Text};
  std::atomic<LogLevel> least{LogLevel::Info};
  std::atomic<LogWriter*> writer{nullptr};
  std::atomic<LogListener*> listener{nullptr};
};

/// Never destroyed: threads may log until the process ends.
LogSettings& settings() {
  static LogSettings& instance = *std::make_unique<LogSettings>().release();
  return instance;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Error:
      return "error";
  }
  return "error";
}

std::string as_text(LogLevel level, std::string_view event, std::string_view message,
                    std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{} {:5} {}: {}", to_text(real_clock().now()).substr(0, 23),
                                 name_of(level), event, message);
  for (const LogField& field : fields) {
    const bool plain = field.value.find_first_of(" \"\n") == std::string::npos;
    line += plain ? fmt::format(" {}={}", field.name, field.value)
                  : fmt::format(" {}={}", field.name, nlohmann::json(field.value).dump());
  }
  return line;
}

std::string as_json(LogLevel level, std::string_view event, std::string_view message,
                    std::initializer_list<LogField> fields) {
  nlohmann::ordered_json line;
  line["time"] = to_text(real_clock().now());
  line["level"] = name_of(level);
  line["event"] = event;
  line["message"] = message;
  for (const LogField& field : fields) {
    if (field.number) {
      line[std::string(field.name)] = nlohmann::json::parse(field.value, nullptr, false);
    } else {
      line[std::string(field.name)] = field.value;
    }
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_line(LogLevel level, std::string_view event, std::string_view message,
                    std::initializer_list<LogField> fields) {
  std::string line = settings().format == LogFormat::Json ? as_json(level, event, message, fields)
                                                          : as_text(level, event, message, fields);
  line += '\n';
  return line;
}

std::string notice_of_lost_lines(std::uint64_t lost) {
  return to_line(LogLevel::Warn, "log_lines_lost",
                 "standard error took nothing for a while: lines of this log are missing here",
                 {{"lines", lost}});
}

void hand_in(std::string text) {
  if (LogWriter* const writer = settings().writer) {
    writer->write(std::move(text));
  } else {
    write_all(STDERR_FILENO, text);
  }
}

}  // namespace

void configure_log(LogFormat format, LogLevel least) {
  settings().format = format;
  settings().least = least;
}

void start_log_thread() {
  settings().writer =
      std::make_unique<LogWriter>(STDERR_FILENO, kWaitingBytesMax, notice_of_lost_lines).release();
}

void flush_log(std::chrono::milliseconds patience) {
  if (LogWriter* const writer = settings().writer) {
    writer->flush(patience);
  }
}

std::uint64_t log_lines_lost() {
  const LogWriter* const writer = settings().writer;
  return writer == nullptr ? 0 : writer->lost();
}

void set_log_listener(LogListener* listener) {
  settings().listener = listener;
}

void print_error(std::string text) {
  hand_in(std::move(text));
}

void log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (LogListener* const listener = settings().listener;
      listener != nullptr && level >= LogLevel::Warn) {
    listener->logged(level, event, message, fields);
  }
  if (level >= settings().least) {
    // In one piece, which keeps lines of several threads apart.
    hand_in(to_line(level, event, message, fields));
  }
}

}  // namespace re_dms
