// What Redshift's errors mean for the daemon. Sources: the Redshift management and developer
// guides of June 2023 and the public clients that docs/redshift.md names.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "warehouse/sql_session.h"

namespace re_dms::redshift {

/// One table's rows were refused by COPY; what they are, load error tables tell after a ROLLBACK.
class CopyRefused : public Error {
 public:
  explicit CopyRefused(const Error& error) : Error(error) {}
};

/// The first words of a COMMIT.
inline constexpr std::string_view kCommit = "COMMIT";

/// A statement met a limit of the cluster, a conflict, or the end of its connection: that may pass,
/// or be so for ever for what one table holds.
class StatementFailed : public Error {
 public:
  StatementFailed(const std::string& text, const std::string& advice, std::string statement,
                  bool answered = true)
      : Error(ErrorKind::Transient, text, advice),
        statement_(std::move(statement)),
        answered_(answered) {}

  /// Its first words.
  const std::string& statement() const { return statement_; }

  /// By the cluster, with an error: the connection did not end.
  bool answered() const { return answered_; }

 private:
  std::string statement_;
  bool answered_;
};

/// The error for a connection that could not be made.
Error connect_error(PGconn* connection, std::string_view doing);

/// Throws the error of a refused statement, or of a connection that was lost in it: what may pass
/// is StatementFailed where it may be one table's, else Transient. SQLSTATE XX000 stands for many
/// things: the text decides.
[[noreturn]] void throw_statement_error(PGconn* connection, const PGresult* result, Blame blame,
                                        std::string_view statement);

}  // namespace re_dms::redshift
