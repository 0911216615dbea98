#include "source/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "base/clock.h"
#include "observe/log.h"
#include "source/password_command.h"
#include "source/sqlstate.h"

namespace re_dms {

namespace {

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

/// Waits until the socket can do what libpq asks for; false when the deadline has passed.
bool wait_for_socket(PGconn* connection, PostgresPollingStatusType wanted, SteadyTime deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - real_clock().steady());
    if (left.count() <= 0) {
      return false;
    }
    pollfd waiting{PQsocket(connection), 0, 0};
    waiting.events = static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return false;
    }
  }
}

void finish_connecting(PGconn* connection, std::chrono::seconds patience, std::string_view doing) {
  const SteadyTime deadline = real_clock().steady() + patience;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (PQstatus(connection) == CONNECTION_BAD || wanted == PGRES_POLLING_FAILED) {
      Error error = connect_error(PQerrorMessage(connection), doing);
      if (error.kind() == ErrorKind::Fatal) {
        throw Refused(error);
      }
      throw error;
    }
    if (!wait_for_socket(connection, wanted, deadline)) {
      throw Error(ErrorKind::Transient,
                  fmt::format("{}: no answer within {} s", doing, patience.count()),
                  "Check host and port in source.url and the firewalls between");
    }
    wanted = PQconnectPoll(connection);
  }
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

Connection::Connection(const SourceSettings& settings, ConnectionPurpose purpose)
    : connection_(nullptr, &PQfinish) {
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
  finish_connecting(connection_.get(), connect_patience(parameters),
                    target_of(parameters, purpose));
}

std::optional<QueryResult> Connection::query_unless(const std::string& sql,
                                                    std::string_view sqlstate,
                                                    std::string_view doing) {
  QueryResult result(PQexec(connection_.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.raw());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_COPY_BOTH) {
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
