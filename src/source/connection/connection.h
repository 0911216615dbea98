// One libpq connection to the source, plain or replication, and the results of its queries.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "model/lsn.h"
#include "source/connection/conninfo.h"
#include "source/settings.h"

namespace re_dms {

/// The server, or whatever answers in its place, does not accept us: wrong password, no line in
/// pg_hba.conf, a certificate, a standby. Fatal; a daemon that was accepted before may be accepted
/// again (a password is rotated, a standby promoted).
class Refused : public Error {
 public:
  explicit Refused(const Error& error) : Error(error) {}
};

/// A question got no answer in time. Transient; the connection cannot be used any more.
class Unanswered : public Error {
 public:
  explicit Unanswered(const Error& error) : Error(error) {}
};

/// How long the steps that set up replication may take beyond the locks they wait for: tables are
/// searched for a first row, and a slot can be created only once older transactions have ended.
inline constexpr std::chrono::minutes kSetUpPatience{30};

/// What server_version() tells: from PostgreSQL 15 on, publications know schemas and row filters.
inline constexpr int kPostgres15 = 150000;

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

/// Belongs to the thread that uses it. Closed by the destructor without waiting. Non-blocking in
/// libpq's sense (PQsetnonblocking): nothing waits for a server that no longer reads.
class Connection {
 public:
  /// Connects; runs password_command first. Throws within connect_patience: Transient when the
  /// server cannot be reached, Refused when it does not take this user, database or password.
  /// Refused too when the session is not the one asked for (session_proof.h). Throws Stopped within
  /// a moment when stop is requested, which is no longer looked at once it is connected; looking up
  /// the host's name and password_command are waited for.
  Connection(const SourceSettings& settings, ConnectionPurpose purpose, std::stop_token stop = {});

  /// From now on a query waits for its result this long at most.
  void wait_at_most(std::chrono::milliseconds patience) { patience_ = patience; }

  /// From now on a query that waits for its result is cancelled when stop is requested; then the
  /// connection is closed and Stopped thrown.
  void stop_with(std::stop_token stop) { stop_ = std::move(stop); }

  /// Runs SQL or a replication command and waits for its last result, or for the first that begins
  /// a COPY. `doing` opens the error's text: "reading the catalog". Kinds by sqlstate.h. Throws
  /// Unanswered when the result does not come in time, and closes the connection.
  QueryResult query(const std::string& sql, std::string_view doing);

  /// As query, without an error for the SQLSTATE named: then nothing is returned.
  std::optional<QueryResult> query_unless(const std::string& sql, std::string_view sqlstate,
                                          std::string_view doing);

  /// Ends what the server does for this connection, a COPY too, and drops what still comes of it.
  /// May wait for the server; never throws.
  void cancel();

  /// The database's encoding is SQL_ASCII: text comes as it is stored, and may be any bytes. In
  /// others it is UTF-8.
  bool raw_text() const;

  /// As PQserverVersion: 150018.
  int server_version() const { return PQserverVersion(connection_.get()); }

  PGconn* raw() const { return connection_.get(); }

 private:
  QueryResult run(const std::string& sql, std::string_view doing);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  /// Longer than tcp_user_timeout, which does not see a proxy that outlives the server.
  std::chrono::milliseconds patience_{60000};
  std::stop_token stop_;
};

}  // namespace re_dms
