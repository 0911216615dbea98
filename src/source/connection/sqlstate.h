// What PostgreSQL's error codes mean for us: one table, SQLSTATE to error kind and advice.
#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace re_dms {

struct SqlStateRule {
  std::string_view code;  ///< five characters, or the first two for a whole class
  ErrorKind kind;
  std::string_view advice;
};

/// The rule for a code, else that of its class, else one that says Transient: an error not known to
/// be final may pass.
const SqlStateRule& sqlstate_rule(std::string_view sqlstate);

/// The error that has this code: `message` with the kind and the advice of its rule.
Error error_of_state(std::string_view sqlstate, std::string message);

/// The error a failed command leaves. `doing` says what was tried: "creating slot \"x\"".
Error command_error(const PGconn* connection, const PGresult* result, std::string_view doing);

/// The error of a connection that was not made. libpq gives no SQLSTATE for those, but writes it
/// into its text when the verbosity is PQERRORS_VERBOSE, as Connection sets it.
Error connect_error(std::string_view libpq_text, std::string_view doing);

/// The SQLSTATE in a verbose libpq text ("FATAL:  28P01: password …"); the severity may be in any
/// language.
std::optional<std::string> sqlstate_in(std::string_view libpq_text);

}  // namespace re_dms
