// What Redshift's errors mean for the daemon. Sources: the Redshift management and developer
// guides of June 2023 and the public clients that docs/redshift.md names.
#pragma once

#include <libpq-fe.h>

#include <string_view>

#include "base/error.h"
#include "warehouse/sql_session.h"

namespace re_dms::redshift {

/// One table's rows were refused by COPY; what they are, load error tables tell after a ROLLBACK.
class CopyRefused : public Error {
 public:
  explicit CopyRefused(const Error& error) : Error(error) {}
};

/// The error for a connection that could not be made.
Error connect_error(PGconn* connection, std::string_view doing);

/// Throws the error of a refused statement, or of a connection that was lost in it. SQLSTATE XX000
/// stands for many things: the text decides.
[[noreturn]] void throw_statement_error(PGconn* connection, const PGresult* result, Blame blame);

}  // namespace re_dms::redshift
