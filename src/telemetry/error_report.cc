#include "telemetry/error_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "aws/signer.h"
#include "base/error.h"
#include "base/random.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

bool is_upper_or_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0 || (c >= 'A' && c <= 'Z');
}

/// Without what differs between errors that are alike: hexadecimal numbers of two digits or more
/// with a decimal digit in them, and text in quotes.
std::string pattern_of(std::string_view message) {
  std::string pattern;
  for (std::size_t i = 0; i < message.size();) {
    const char c = message[i];
    if (c == '"' || c == '\'') {
      const std::size_t end = message.find(c, i + 1);
      if (end != std::string_view::npos) {
        pattern += "?";
        i = end + 1;
        continue;
      }
    }
    std::size_t end = i;
    bool digit = false;
    while (end < message.size() && std::isalnum(static_cast<unsigned char>(message[end])) != 0) {
      digit = digit || std::isdigit(static_cast<unsigned char>(message[end])) != 0;
      ++end;
    }
    if (end == i) {
      pattern += c;
      ++i;
    } else {
      pattern += digit ? std::string_view("#") : message.substr(i, end - i);
      i = end;
    }
  }
  return pattern;
}

std::string level_text(LogLevel level) {
  return level == LogLevel::Error ? "error" : "warning";
}

}  // namespace

std::string fingerprint_of(std::string_view event, std::string_view table,
                           std::string_view message) {
  return sha256_hex(fmt::format("{}\n{}\n{}", event, table, pattern_of(message))).substr(0, 32);
}

std::string sqlstate_of(std::string_view message) {
  constexpr std::size_t kLength = 5;
  for (std::size_t i = 1; i + kLength < message.size(); ++i) {
    const std::string_view code = message.substr(i, kLength);
    const bool opened = message[i - 1] == '[' || message[i - 1] == '(';
    const bool closed = message[i + kLength] == ']' || message[i + kLength] == ')';
    if (opened && closed && std::ranges::all_of(code, is_upper_or_digit) &&
        std::ranges::any_of(code, [](char c) { return c >= '0' && c <= '9'; })) {
      return std::string(code);
    }
  }
  return {};
}

ErrorReport report_of(LogLevel level, std::string_view event, std::string_view message,
                      std::initializer_list<LogField> fields, SystemTime now) {
  ErrorReport report;
  report.id = random_hex() + random_hex();
  report.level = level_text(level);
  report.event = event;
  report.message = message;
  for (const LogField& field : fields) {
    if (field.name == "table") {
      report.table = field.value;
    } else if (field.name == "position" || field.name == "loaded") {
      report.lsn = field.value;
    }
  }
  report.sqlstate = sqlstate_of(message);
  report.fingerprint = fingerprint_of(event, report.table, message);
  report.version = RE_DMS_VERSION;
  report.at = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return report;
}

std::string to_json(const ErrorReport& report) {
  const Json json = {{"id", report.id},
                     {"level", report.level},
                     {"event", report.event},
                     {"message", report.message},
                     {"table", report.table},
                     {"lsn", report.lsn},
                     {"sqlstate", report.sqlstate},
                     {"stack", report.stack},
                     {"fingerprint", report.fingerprint},
                     {"version", report.version},
                     {"at", report.at},
                     {"count", report.count}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ErrorReport parse_report(std::string_view json) {
  try {
    const Json parsed = Json::parse(json);
    ErrorReport report;
    report.id = parsed.at("id");
    report.level = parsed.at("level");
    report.event = parsed.at("event");
    report.message = parsed.at("message");
    report.table = parsed.at("table");
    report.lsn = parsed.at("lsn");
    report.sqlstate = parsed.at("sqlstate");
    report.stack = parsed.at("stack");
    report.fingerprint = parsed.at("fingerprint");
    report.version = parsed.at("version");
    report.at = parsed.at("at");
    report.count = parsed.at("count");
    return report;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::Fatal, fmt::format("this is no error report: {}", error.what()));
  }
}

}  // namespace re_dms
