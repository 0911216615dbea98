// An error as error services are told of it: one report for all errors that are alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "observe/log.h"

namespace re_dms {

struct ErrorReport {
  std::string id;           ///< 32 hexadecimal digits, of its own
  std::string level;        ///< "warning", "error" or "critical"
  std::string event;        ///< of the log line: "table_set_aside"
  std::string message;      ///< scrubbed
  std::string table;        ///< empty: it is about none
  std::string lsn;          ///< empty: it names none
  std::string sqlstate;     ///< empty: it names none
  std::string stack;        ///< of a crash
  std::string fingerprint;  ///< the same for errors that are alike
  std::string version;      ///< of re_dms when it happened
  std::int64_t at = 0;      ///< seconds since 1970
  std::uint64_t count = 1;  ///< how often it happened since it was reported last

  bool operator==(const ErrorReport&) const = default;
};

/// What an error is recognized by: its event, its table, and its message without numbers,
/// positions and what stands in quotes.
std::string fingerprint_of(std::string_view event, std::string_view table,
                           std::string_view message);

/// The SQLSTATE that a message names in brackets, as our errors do; empty: none.
std::string sqlstate_of(std::string_view message);

/// The report of a log line.
ErrorReport report_of(LogLevel level, std::string_view event, std::string_view message,
                      std::initializer_list<LogField> fields, SystemTime now);

std::string to_json(const ErrorReport& report);

/// Throws Fatal on text that is no report.
ErrorReport parse_report(std::string_view json);

}  // namespace re_dms
