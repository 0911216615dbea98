// One libpq connection to the source, plain or replication, and the results of its queries.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/lsn.h"
#include "source/conninfo.h"
#include "source/source.h"

namespace re_dms {

/// The server, or who stands in its place, does not take us: wrong password, no line in
/// pg_hba.conf, a certificate, a standby. Fatal; whoever was taken before may be taken again (a
/// password is rotated, a standby promoted).
class Refused : public Error {
 public:
  explicit Refused(const Error& error) : Error(error) {}
};

/// Rows of text. A view of a value lives as long as the result.
class QueryResult {
 public:
  explicit QueryResult(PGresult* result) : result_(result, &PQclear) {}

  int rows() const { return PQntuples(result_.get()); }

  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

  /// Empty for NULL.
  std::string_view text(int row, int column) const;

  std::optional<std::string> optional_text(int row, int column) const;

  /// True for 't'; false for NULL.
  bool flag(int row, int column) const { return text(row, column) == "t"; }

  /// A decimal number; 0 for NULL. Throws Fatal on anything else.
  std::int64_t number(int row, int column) const;

  std::uint32_t oid(int row, int column) const {
    return static_cast<std::uint32_t>(number(row, column));
  }

  /// Unknown for NULL.
  Lsn lsn(int row, int column) const;

  const PGresult* raw() const { return result_.get(); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// Belongs to the thread that uses it. Closed by the destructor without waiting.
class Connection {
 public:
  /// Connects; runs password_command first. Throws within connect_patience: Transient when the
  /// server cannot be reached, Refused when it does not take this user, database or password.
  Connection(const SourceSettings& settings, ConnectionPurpose purpose);

  /// Runs SQL or a replication command and waits for its result. `doing` opens the error's text:
  /// "reading the catalog". Kinds by sqlstate.h.
  QueryResult query(const std::string& sql, std::string_view doing);

  /// As query, without an error for the SQLSTATE named: then nothing is returned.
  std::optional<QueryResult> query_unless(const std::string& sql, std::string_view sqlstate,
                                          std::string_view doing);

  /// As PQserverVersion: 150018.
  int server_version() const { return PQserverVersion(connection_.get()); }

  PGconn* raw() const { return connection_.get(); }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace re_dms
