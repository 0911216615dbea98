#include "source/connection/session_proof.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "model/output_settings.h"
#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

constexpr std::string_view kAdvice =
    "A pooler or proxy in between drops what re_dms requests when it connects; a direct connection "
    "is needed. Point source.url at PostgreSQL itself";

// libpq 15, fe-protocol3.c, EnvironmentOptions: those of them that are pinned settings.
constexpr std::pair<std::string_view, const char*> kFromEnvironment[] = {
    {"datestyle", "PGDATESTYLE"}, {"timezone", "PGTZ"}};

bool environment_sets(std::string_view setting) {
  for (const auto& [name, variable] : kFromEnvironment) {
    if (name == setting) {
      return std::getenv(variable) != nullptr;
    }
  }
  return false;
}

/// The names are qualified: the search path is one of the settings.
std::string question() {
  std::string sql =
      "SELECT (SELECT a.backend_type FROM pg_catalog.pg_stat_activity a WHERE a.pid "
      "OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())";
  for (const OutputSetting& setting : kPinnedSettings) {
    sql += fmt::format(", pg_catalog.current_setting('{}', true)", setting.name);
  }
  return sql;
}

struct Difference {
  const OutputSetting& setting;
  std::string shown;
};

std::vector<Difference> differences(const QueryResult& shown) {
  std::vector<Difference> found;
  int column = 0;
  for (const OutputSetting& setting : kPinnedSettings) {
    ++column;
    if (!in_force(setting, shown.text(0, column))) {
      found.push_back({setting, std::string(shown.text(0, column))});
    }
  }
  return found;
}

QueryResult ask(Connection& connection) {
  return connection.query(question(), "asking the source for the session's settings");
}

}  // namespace

void prove_session(Connection& connection, ConnectionPurpose purpose) {
  QueryResult shown = ask(connection);
  std::string set_right;
  for (const Difference& difference : differences(shown)) {
    if (environment_sets(difference.setting.name)) {
      set_right += fmt::format("SET {} = {};", difference.setting.name,
                               quote_literal(difference.setting.value));
    }
  }
  if (!set_right.empty()) {
    connection.query(set_right, "setting what the environment has changed");
    shown = ask(connection);
  }
  if (purpose == ConnectionPurpose::Replication && shown.text(0, 0) != "walsender") {
    throw Refused({ErrorKind::Fatal, "the connection to the source is not a replication connection",
                   std::string(kAdvice)});
  }
  std::vector<std::string> texts;
  for (const Difference& difference : differences(shown)) {
    texts.push_back(fmt::format("{} is \"{}\" instead of \"{}\"", difference.setting.name,
                                difference.shown, difference.setting.value));
  }
  if (!texts.empty()) {
    throw Refused({ErrorKind::Fatal,
                   fmt::format("the connection to the source does not have the settings that "
                               "re_dms requested, so values could be read wrongly: {}",
                               fmt::join(texts, ", ")),
                   std::string(kAdvice)});
  }
}

}  // namespace re_dms
