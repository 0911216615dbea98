#include "observe/log.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace re_dms {

namespace {

struct LogSettings {
  LogFormat format = LogFormat::Text;
  LogLevel least = LogLevel::Info;
};

LogSettings& settings() {
  static LogSettings instance;
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

}  // namespace

void configure_log(LogFormat format, LogLevel least) {
  settings() = {format, least};
}

void log(LogLevel level, std::string_view event, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (level < settings().least) {
    return;
  }
  std::string line = settings().format == LogFormat::Json ? as_json(level, event, message, fields)
                                                          : as_text(level, event, message, fields);
  line += '\n';
  // One write per line keeps lines of several threads apart; a full pipe loses lines, not the
  // daemon.
  [[maybe_unused]] const ssize_t wrote = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace re_dms
