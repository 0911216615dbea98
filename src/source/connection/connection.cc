#include "source/connection/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "observe/log.h"
#include "source/connection/password_command.h"
#include "source/connection/session_proof.h"
#include "source/connection/sqlstate.h"
#include "source/connection/tls_input.h"

namespace re_dms {

namespace {

/// libpq reads when it cannot write, and poll does not see what it has read then.
constexpr std::chrono::milliseconds kUnsentPoll{100};
constexpr std::chrono::milliseconds kLookAtStop{100};

void log_notice(void* /*unused*/, const PGresult* notice) {
  const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  log(LogLevel::Warn, "source_notice", text != nullptr ? text : "a notice without text");
}

/// "connecting to app at db.internal": what may be shown of the parameters.
std::string target_of(const ConnectionParameters& parameters, ConnectionPurpose purpose) {
  const auto value = [&](const char* keyword) {
    const auto found = parameters.find(keyword);
    return found == parameters.end() ? std::string("(default)") : found->second;
  };
  return fmt::format("connecting to the source (host {}, database {}, user {}{})", value("host"),
                     value("dbname"), value("user"),
                     purpose == ConnectionPurpose::Replication ? ", for replication" : "");
}

PGconn* begin_connecting(const ConnectionParameters& parameters) {
  const ParameterArrays arrays(parameters);
  return PQconnectStartParams(arrays.keywords(), arrays.values(), 0);
}

/// Waits until the socket can do one of `events`; false when the deadline has passed.
bool wait_for_socket(PGconn* connection, int events, SteadyTime deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - real_clock().steady());
    if (left.count() <= 0) {
      return false;
    }
    pollfd waiting{PQsocket(connection), static_cast<short>(events), 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return false;
    }
  }
}

void finish_connecting(PGconn* connection, std::chrono::seconds patience, std::string_view doing,
                       const std::stop_token& stop) {
  const SteadyTime deadline = real_clock().steady() + patience;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (PQstatus(connection) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) {
      const Error error = connect_error(PQerrorMessage(connection), doing);
      if (error.kind() == ErrorKind::Fatal) {
        throw Refused(error);
      }
      throw Error(error);
    }
    if (stop.stop_requested()) {
      throw Stopped();
    }
    const SteadyTime now = real_clock().steady();
    if (now >= deadline) {
      throw Error(ErrorKind::Transient,
                  fmt::format("{}: no answer within {} s", doing, patience.count()),
                  "Check host and port in source.url and any firewalls in between");
    }
    const SteadyTime until =
        stop.stop_possible() ? std::min(deadline, now + kLookAtStop) : deadline;
    if (wait_for_socket(connection, wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
      wanted = PQconnectPoll(connection);
    }
  }
}

/// Asks the server to give up what it does for the connection; never throws.
void send_cancel(PGconn* connection) {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request(PQgetCancel(connection),
                                                                   &PQfreeCancel);
  char problem[256];
  if (request != nullptr) {
    PQcancel(request.get(), problem, sizeof(problem));
  }
}

/// False when the deadline has passed, or stop was requested. What fails meanwhile, PQgetResult
/// tells.
bool wait_for_result(PGconn* connection, SteadyTime last, const std::stop_token& stop) {
  while (PQisBusy(connection) != 0) {
    const SteadyTime now = real_clock().steady();
    if (now >= last || stop.stop_requested()) {
      return false;
    }
    const SteadyTime deadline = stop.stop_possible() ? std::min(last, now + kLookAtStop) : last;
    const bool unsent = PQflush(connection) > 0;
    if (unsent) {
      wait_for_socket(connection, POLLIN | POLLOUT, std::min(deadline, now + kUnsentPoll));
    } else if (!may_hold_input(connection)) {
      wait_for_socket(connection, POLLIN, deadline);
    }
    if (PQconsumeInput(connection) == 0) {
      return true;
    }
  }
  return true;
}

bool begins_copy(ExecStatusType status) {
  return status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
}

}  // namespace

std::string_view QueryResult::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> QueryResult::optional_text(int row, int column) const {
  if (is_null(row, column)) {
    return std::nullopt;
  }
  return std::string(text(row, column));
}

std::int64_t QueryResult::number(int row, int column) const {
  const std::string_view digits = text(row, column);
  if (digits.empty()) {
    return 0;
  }
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc() || end != digits.data() + digits.size()) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the source answered '{}' instead of a number", digits));
  }
  return value;
}

Lsn QueryResult::lsn(int row, int column) const {
  if (is_null(row, column)) {
    return {};
  }
  const std::optional<Lsn> lsn = Lsn::parse(text(row, column));
  if (!lsn) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the source answered '{}' instead of an LSN", text(row, column)));
  }
  return *lsn;
}

Connection::Connection(const SourceSettings& settings, ConnectionPurpose purpose,
                       std::stop_token stop)
    : connection_(nullptr, &PQfinish), stop_(std::move(stop)) {
  ConnectionParameters parameters = connection_parameters(settings.url, purpose);
  if (!settings.password_command.empty()) {
    parameters["password"] = run_password_command(settings.password_command);
  }
  connection_.reset(begin_connecting(parameters));
  if (connection_ == nullptr) {
    throw Error(ErrorKind::Fatal, "no memory for a connection to the source");
  }
  // Puts the SQLSTATE of a refused connection into the text, the only place libpq has for it.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(connection_.get(), &log_notice, nullptr);
  finish_connecting(connection_.get(), connect_patience(parameters), target_of(parameters, purpose),
                    stop_);
  PQsetnonblocking(connection_.get(), 1);
  prove_session(*this, purpose);
  if (raw_text()) {
    // With another one the server ends the stream at the first byte that is not UTF-8 (22021).
    query("SET client_encoding = 'SQL_ASCII'", "asking for text without conversion");
  }
  stop_ = {};
}

bool Connection::raw_text() const {
  const char* encoding = PQparameterStatus(connection_.get(), "server_encoding");
  return encoding != nullptr && std::string_view(encoding) == "SQL_ASCII";
}

/// As PQexec, which waits without end.
QueryResult Connection::run(const std::string& sql, std::string_view doing) {
  const SteadyTime deadline = real_clock().steady() + patience_;
  QueryResult last(nullptr);
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
    return last;
  }
  for (;;) {
    if (!wait_for_result(connection_.get(), deadline, stop_)) {
      if (stop_.stop_requested()) {
        send_cancel(connection_.get());
        connection_.reset();
        throw Stopped();
      }
      send_cancel(connection_.get());
      connection_.reset();
      throw Unanswered(Error(ErrorKind::Transient,
                             fmt::format("{}: no answer within {} s", doing,
                                         std::chrono::duration<double>(patience_).count()),
                             "The server hangs, or a proxy or firewall in between has lost its "
                             "connection to it"));
    }
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) {
      return last;
    }
    last = QueryResult(result);
    if (begins_copy(PQresultStatus(result)) || PQstatus(connection_.get()) == CONNECTION_BAD) {
      return last;
    }
  }
}

void Connection::cancel() {
  PGconn* const connection = connection_.get();
  if (PQtransactionStatus(connection) != PQTRANS_ACTIVE) {
    return;
  }
  send_cancel(connection);
  const SteadyTime deadline = real_clock().steady() + patience_;
  while (real_clock().steady() < deadline) {
    char* line = nullptr;
    const int size = PQgetCopyData(connection, &line, 1);
    PQfreemem(line);
    if (size == 0) {
      wait_for_socket(connection, POLLIN, std::min(deadline, real_clock().steady() + kUnsentPoll));
      if (PQconsumeInput(connection) == 0) {
        return;
      }
    } else if (size < 0) {
      while (PGresult* result = PQgetResult(connection)) {
        PQclear(result);
      }
      return;
    }
  }
}

std::optional<QueryResult> Connection::query_unless(const std::string& sql,
                                                    std::string_view sqlstate,
                                                    std::string_view doing) {
  QueryResult result = run(sql, doing);
  const ExecStatusType status = PQresultStatus(result.raw());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || begins_copy(status)) {
    return result;
  }
  const char* code = PQresultErrorField(result.raw(), PG_DIAG_SQLSTATE);
  if (code != nullptr && sqlstate == code) {
    return std::nullopt;
  }
  throw command_error(connection_.get(), result.raw(), doing);
}

QueryResult Connection::query(const std::string& sql, std::string_view doing) {
  return *query_unless(sql, "none", doing);
}

}  // namespace re_dms
