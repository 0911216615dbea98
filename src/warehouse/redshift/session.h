// A session of a Redshift cluster or workgroup.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "warehouse/redshift/iam_login.h"
#include "warehouse/sql_session.h"
#include "warehouse/statement_watch.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

struct SessionSettings {
  std::string url;                 ///< redshift://user:password@host:port/database?parameter=value
  std::string password_command{};  ///< run at each connect; its first line is the password
  AskForLogin login{};             ///< empty: the URL has the user
  StatementWatch watch{};          ///< as WarehouseSettings has it
};

/// How sessions of this target are opened.
SessionSettings session_settings(const WarehouseSettings& settings);

/// Host, port, database and user of the URL, for people.
std::string place(const std::string& url);

/// Throws Usage for a URL that is none, or names no user where one is needed.
void check_url(const std::string& url, bool needs_user);

/// Empty: none is named.
std::string user_of(const std::string& url);
std::string database_of(const std::string& url);

/// Every statement is simple text and waits for its end. After a Transient error the session may be
/// lost: open another one.
class Session final : public SqlSession {
 public:
  /// Connects, with what Redshift accepts at a startup and nothing else. Without sslmode in the URL
  /// the certificate is verified, unless the host is this machine. Throws Transient where waiting
  /// may help, else Fatal.
  Session(const SessionSettings& settings, std::stop_token stop);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  using SqlSession::execute;
  using SqlSession::query;
  /// Throws Stopped soon after stop is requested; the server is asked to end the statement, and
  /// left alone if it does not.
  std::uint64_t execute(const Sql& statement, Blame blame) override;
  std::vector<Row> query(const Sql& select, Blame blame) override;
  Named named(const QualifiedName& name) override;

  Sql text(std::string_view value) const override { return escaped_literal(value); }

  std::size_t text_bytes_max() const override { return 65535; }

  /// As execute; false where the statement waited for so long that it was taken back: the
  /// transaction can only be rolled back.
  bool execute_within(const Sql& statement, std::chrono::seconds patience,
                      Blame blame = Blame::Target);

  /// Whether the server's process `pid` served a session of this process that did not end cleanly:
  /// it may be at work still.
  static bool was_lost(int pid);

  int lanes() const override { return kLanesMax; }

  /// COMMIT. Whatever it throws, the transaction may have been committed. Not stopped.
  void commit();

  /// The calls from now on end when this is requested.
  void stop_with(std::stop_token stop) { stop_ = std::move(stop); }

 private:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

  void send(const Sql& statement, Blame blame, const std::stop_token& stop);
  Result run(const Sql& statement, Blame blame, const std::stop_token& stop);
  Result wait_for_end(const std::stop_token& stop, std::optional<SteadyTime> until = {});

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  const StatementWatch watch_;
  std::stop_token stop_;
  int pid_ = 0;  ///< the server's process
};

/// As Redshift keeps a name: in lower case, quoted or not.
std::string folded(std::string_view name);

}  // namespace re_dms::redshift
