#include "warehouse/redshift/session.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/shell_command.h"
#include "base/thread.h"
#include "observe/log.h"
#include "warehouse/redshift/faults.h"

namespace re_dms::redshift {

namespace {

constexpr std::string_view kScheme = "redshift://";
constexpr std::chrono::milliseconds kLookAtStop{100};
constexpr std::chrono::seconds kConnectPatience{30};
/// How long a server may take to end a statement that it was asked to end.
constexpr std::chrono::seconds kStopPatience{5};

using Parameters = std::map<std::string, std::string>;

Parameters parse(const std::string& url) {
  if (!url.starts_with(kScheme)) {
    throw Error(ErrorKind::Usage, "warehouse.url does not begin with redshift://");
  }
  char* problem = nullptr;
  const std::string uri = "postgresql://" + url.substr(kScheme.size());
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(uri.c_str(), &problem), &PQconninfoFree);
  if (options == nullptr) {
    // Its text may quote the URL, and a password with it.
    PQfreemem(problem);
    throw Error(ErrorKind::Usage, "warehouse.url is not a URL that can be read",
                "Write redshift://user@host:5439/database; escape other characters as %XX");
  }
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      parameters[option->keyword] = option->val;
    }
  }
  return parameters;
}

void require(const Parameters& parameters, const std::string& needed) {
  const auto found = parameters.find(needed);
  if (found == parameters.end() || found->second.empty()) {
    throw Error(ErrorKind::Usage, fmt::format("warehouse.url names no {}", needed),
                "Write redshift://user@host:5439/database");
  }
}

std::string value_of(const Parameters& parameters, const std::string& keyword) {
  const auto found = parameters.find(keyword);
  return found == parameters.end() ? std::string() : found->second;
}

bool is_this_machine(const std::string& host) {
  return host.starts_with('/') || host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// libpq's variables are not in the environment any more: they are about the source.
Parameters for_libpq(const std::string& url) {
  Parameters given = parse(url);
  const bool local = is_this_machine(given["host"]);
  Parameters all = {{"port", "5439"},
                    {"sslmode", local ? "prefer" : "verify-full"},
                    {"sslrootcert", local ? "" : "/etc/ssl/certs/ca-certificates.crt"},
                    {"client_encoding", "UTF8"},
                    {"application_name", "re_dms"},
                    {"gssencmode", "disable"},
                    {"target_session_attrs", "any"},
                    {"connect_timeout", "30"},
                    {"keepalives", "1"},
                    // Below the 350 s after which the network between forgets a silent connection.
                    {"keepalives_idle", "60"},
                    {"keepalives_interval", "15"},
                    {"keepalives_count", "8"},
                    // What was sent and is not confirmed is not seen by keepalives.
                    {"tcp_user_timeout", "180000"}};
  for (auto& [keyword, value] : given) {
    all[keyword] = std::move(value);
  }
  return all;
}

std::string password_of(const std::string& command) {
  const CommandOutcome outcome = run_shell_command(command, kConnectPatience);
  if (!outcome.failure.empty()) {
    throw Error(ErrorKind::Transient, fmt::format("warehouse.password_command {}", outcome.failure),
                "Run it by hand as the user that runs re_dms");
  }
  return outcome.output.substr(0, outcome.output.find('\n'));
}

/// Decrypted bytes wait in OpenSSL, where poll does not see them.
bool holds_input(PGconn* connection) {
  const SSL* const tls = static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

bool wait_for(PGconn* connection, short events, std::chrono::milliseconds patience) {
  if ((events & POLLIN) != 0 && holds_input(connection)) {
    return true;
  }
  pollfd socket{PQsocket(connection), events, 0};
  return poll(&socket, 1, static_cast<int>(patience.count())) > 0;
}

void connect(PGconn* connection, const std::stop_token& stop, std::string_view doing) {
  const SteadyTime deadline = real_clock().steady() + kConnectPatience;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (PQstatus(connection) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) {
      throw connect_error(connection, doing);
    }
    if (stop.stop_requested()) {
      throw Stopped();
    }
    if (real_clock().steady() > deadline) {
      throw Error(ErrorKind::Transient,
                  fmt::format("{}: no answer within {} s", doing, kConnectPatience.count()),
                  "Check host and port in warehouse.url and the cluster's security group");
    }
    if (wait_for(connection, wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, kLookAtStop)) {
      wanted = PQconnectPoll(connection);
    }
  }
}

/// Asks the server to end its statement. Nobody waits here for one that does not even answer a
/// connection.
void cancel(PGconn* connection) {
  const std::shared_ptr<PGcancel> request(PQgetCancel(connection), &PQfreeCancel);
  if (request != nullptr) {
    std::thread([request] {
      begin_thread("cancel");
      char problem[256];
      PQcancel(request.get(), problem, sizeof(problem));
    }).detach();
  }
}

/// The server's processes of sessions that did not end cleanly.
class LostSessions {
 public:
  void add(int pid) {
    const std::lock_guard lock(mutex_);
    pids_.insert(pid);
  }

  /// The number is another session's now.
  void remove(int pid) {
    const std::lock_guard lock(mutex_);
    pids_.erase(pid);
  }

  bool has(int pid) {
    const std::lock_guard lock(mutex_);
    return pids_.contains(pid);
  }

 private:
  std::mutex mutex_;
  std::set<int> pids_;
};

LostSessions& lost_sessions() {
  static LostSessions all;
  return all;
}

/// Asks for the statement's end at a stop and at `until`, and from then on waits for it only so
/// long.
void end_if_due(PGconn* connection, const std::stop_token& stop, std::optional<SteadyTime> until,
                std::optional<SteadyTime>& give_up) {
  const SteadyTime now = real_clock().steady();
  if (!give_up && (stop.stop_requested() || (until && now > *until))) {
    cancel(connection);
    give_up = now + kStopPatience;
  }
  if (give_up && now > *give_up) {
    if (stop.stop_requested()) {
      throw Stopped();
    }
    throw Error(ErrorKind::Transient, "Redshift does not take a statement back");
  }
}

void log_notice(void* /*unused*/, const PGresult* notice) {
  const char* const text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  log(LogLevel::Debug, "redshift_notice", text != nullptr ? text : "a notice without text");
}

}  // namespace

SessionSettings session_settings(const WarehouseSettings& settings) {
  SessionSettings session{settings.url, settings.password_command, {}, settings.watch};
  if (settings.iam_login) {
    session.login =
        iam_login(*settings.iam_login, database_of(settings.url), user_of(settings.url));
  }
  return session;
}

std::string place(const std::string& url) {
  const Parameters all = for_libpq(url);
  return fmt::format("{}:{}/{} as {}", all.at("host"), all.at("port"), all.at("dbname"),
                     value_of(all, "user").empty() ? "who it is for AWS" : all.at("user"));
}

void check_url(const std::string& url, bool needs_user) {
  const Parameters parameters = parse(url);
  require(parameters, "host");
  require(parameters, "dbname");
  if (needs_user) {
    require(parameters, "user");
  }
}

std::string user_of(const std::string& url) {
  return value_of(parse(url), "user");
}

std::string database_of(const std::string& url) {
  return value_of(parse(url), "dbname");
}

Session::Session(const SessionSettings& settings, std::stop_token stop)
    : connection_(nullptr, &PQfinish), watch_(settings.watch), stop_(std::move(stop)) {
  Parameters all = for_libpq(settings.url);
  if (settings.login) {
    const DatabaseLogin login = settings.login(stop_);
    all["user"] = login.user;
    all["password"] = login.password;
  } else if (!settings.password_command.empty()) {
    all["password"] = password_of(settings.password_command);
  }
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : all) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (connection_ == nullptr) {
    throw Error(ErrorKind::Transient, "there is no memory for a connection to Redshift");
  }
  PQsetNoticeReceiver(connection_.get(), log_notice, nullptr);
  connect(connection_.get(), stop_,
          fmt::format("connecting to Redshift ({})", place(settings.url)));
  // libpq no longer tells it when the connection is lost.
  pid_ = PQbackendPID(connection_.get());
  lost_sessions().remove(pid_);
  // A statement of megabytes is sent while nobody looks at stop otherwise.
  PQsetnonblocking(connection_.get(), 1);
  // A parameter group can say otherwise, and then "A" is not the "a" that is looked for.
  execute(sql("SET enable_case_sensitive_identifier TO false"), Blame::Target);
}

void Session::send(const Sql& statement, Blame blame, const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Stopped();
  }
  PGconn* const connection = connection_.get();
  if (PQsendQuery(connection, statement.text().c_str()) == 0) {
    throw_statement_error(connection, nullptr, blame, statement.text());
  }
}

Session::Result Session::run(const Sql& statement, Blame blame, const std::stop_token& stop) {
  const WatchedStatement watched(watch_, statement.text());
  send(statement, blame, stop);
  PGconn* const connection = connection_.get();
  Result result = wait_for_end(stop);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    if (stop.stop_requested()) {
      throw Stopped();
    }
    throw_statement_error(connection, result.get(), blame, statement.text());
  }
  return result;
}

bool Session::execute_within(const Sql& statement, std::chrono::seconds patience, Blame blame) {
  const WatchedStatement watched(watch_, statement.text());
  send(statement, blame, stop_);
  PGconn* const connection = connection_.get();
  const SteadyTime until = real_clock().steady() + patience;
  const Result result = wait_for_end(stop_, until);
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
    // Once it is asked for its end, that may hit any statement.
    return real_clock().steady() < until;
  }
  if (stop_.stop_requested()) {
    throw Stopped();
  }
  if (real_clock().steady() < until || PQstatus(connection) == CONNECTION_BAD) {
    throw_statement_error(connection, result.get(), blame, statement.text());
  }
  return false;
}

/// The first result of the statement under way, when all of it has come or the connection is lost.
/// `until`: when the server is asked to end it.
Session::Result Session::wait_for_end(const std::stop_token& stop,
                                      std::optional<SteadyTime> until) {
  PGconn* const connection = connection_.get();
  std::optional<SteadyTime> give_up;
  Result first(nullptr, &PQclear);
  while (true) {
    while (PQisBusy(connection) != 0) {
      end_if_due(connection, stop, until, give_up);
      wait_for(connection, PQflush(connection) > 0 ? POLLIN | POLLOUT : POLLIN, kLookAtStop);
      if (PQconsumeInput(connection) == 0) {
        break;
      }
    }
    Result next(PQgetResult(connection), &PQclear);
    if (next == nullptr) {
      return first;
    }
    if (first == nullptr) {
      first = std::move(next);
    }
  }
}

std::uint64_t Session::execute(const Sql& statement, Blame blame) {
  const Result result = run(statement, blame, stop_);
  const std::string_view count = PQcmdTuples(result.get());
  std::uint64_t rows = 0;
  std::from_chars(count.data(), count.data() + count.size(), rows);
  return rows;
}

std::vector<Row> Session::query(const Sql& select, Blame blame) {
  const Result result = run(select, blame, stop_);
  std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      auto& values = rows[static_cast<std::size_t>(row)];
      if (PQgetisnull(result.get(), row, column) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(
            std::string(PQgetvalue(result.get(), row, column),
                        static_cast<std::size_t>(PQgetlength(result.get(), row, column))));
      }
    }
  }
  return rows;
}

Session::~Session() {
  if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    lost_sessions().add(pid_);
  }
}

bool Session::was_lost(int pid) {
  return lost_sessions().has(pid);
}

Named Session::named(const QualifiedName& name) {
  const auto rows =
      query(sql("SELECT table_type FROM svv_tables WHERE table_schema = {} AND table_name = {}",
                text(folded(name.schema)), text(folded(name.name))));
  if (rows.empty()) {
    return Named::Nothing;
  }
  return rows[0].at(0) == "BASE TABLE" ? Named::Table : Named::Other;
}

void Session::commit() {
  run(sql("COMMIT"), Blame::Target, {});
}

std::string folded(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace re_dms::redshift
