#include "base/error.h"

#include <fmt/format.h>

#include <utility>

namespace re_dms {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Transient:
      return "transient";
    case ErrorKind::Table:
      return "table";
    case ErrorKind::Fatal:
      return "fatal";
    case ErrorKind::Usage:
      return "usage";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message, std::string advice, std::source_location where)
    : kind_(kind), message_(std::move(message)), advice_(std::move(advice)), where_(where) {
  compose();
}

Error Error::table(std::uint32_t table_oid, std::string message, std::string advice,
                   std::source_location where) {
  Error error(ErrorKind::Table, std::move(message), std::move(advice), where);
  error.table_oid_ = table_oid;
  return error;
}

Error& Error::in(std::string_view context) {
  message_ = fmt::format("{}: {}", context, message_);
  compose();
  return *this;
}

Error& Error::needing_a_person() {
  needs_a_person_ = true;
  return *this;
}

void Error::compose() {
  text_ = advice_.empty() ? message_ : fmt::format("{}. {}", message_, advice_);
}

namespace detail {

void check_failed(const char* expression, std::source_location where) {
  throw Error(
      ErrorKind::Fatal,
      fmt::format("internal check failed: {} ({}:{})", expression, where.file_name(), where.line()),
      "This is a bug of re_dms; nothing was acknowledged or loaded beyond the last good "
      "point. Please report it with the journal directory kept",
      where);
}

}  // namespace detail

}  // namespace re_dms
