#include "demo/sql_session.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/error.h"

namespace re_dms::demo {

namespace {

constexpr std::size_t kSqlShownBytes = 120;

bool succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

SqlSession::SqlSession(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot connect to the demo's PostgreSQL: {}",
                                              trimmed(PQerrorMessage(connection_.get()))));
  }
}

std::vector<TextRow> SqlSession::query(const std::string& sql) {
  const Result result = run(sql);
  if (!succeeded(result.get())) {
    fail(sql);
  }
  const int columns = PQnfields(result.get());
  std::vector<TextRow> rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    TextRow& values = rows[static_cast<std::size_t>(row)];
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result.get(), row, column) != 0) {
        values.emplace_back();
      } else {
        const int length = PQgetlength(result.get(), row, column);
        values.emplace_back(
            std::string(PQgetvalue(result.get(), row, column), static_cast<std::size_t>(length)));
      }
    }
  }
  return rows;
}

std::string SqlSession::value(const std::string& sql) {
  const std::vector<TextRow> rows = query(sql);
  return rows.empty() || rows.front().empty() ? std::string() : rows.front().front().value_or("");
}

std::uint64_t SqlSession::number(const std::string& sql) {
  const std::string text = value(sql);
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool SqlSession::try_transaction(const std::string& sql) {
  const Result result = run(sql);
  if (succeeded(result.get())) {
    return true;
  }
  const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  if (state == nullptr || !std::string_view(state).starts_with("40")) {
    fail(sql);
  }
  query("ROLLBACK");
  return false;
}

SqlSession::Result SqlSession::run(const std::string& sql) {
  return {PQexec(connection_.get(), sql.c_str()), &PQclear};
}

void SqlSession::fail(const std::string& sql) {
  throw Error(ErrorKind::Fatal, fmt::format("the demo's PostgreSQL refused \"{}\": {}",
                                            std::string_view(sql).substr(0, kSqlShownBytes),
                                            trimmed(PQerrorMessage(connection_.get()))));
}

}  // namespace re_dms::demo
