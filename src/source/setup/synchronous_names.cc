#include "source/setup/synchronous_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// The names in the list; quoted ones without quotes.
std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (const char c : list) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else if (quoted || std::isspace(static_cast<unsigned char>(c)) == 0) {
      names.back() += c;
    }
  }
  return names;
}

}  // namespace

CommitWait commit_wait(std::string_view names, std::string_view application) {
  // "FIRST n (…)", "ANY n (…)" and "n (…)": only what stands in the parentheses are names.
  if (const std::size_t begin = names.find('('); begin != std::string_view::npos) {
    names = names.substr(begin + 1, names.rfind(')') - begin - 1);
  }
  const std::string own = lower(application);
  const std::vector<std::string> listed = split(names);
  const auto is_own = [&](const std::string& name) { return name == "*" || lower(name) == own; };
  if (names.empty() || std::none_of(listed.begin(), listed.end(), is_own)) {
    return CommitWait::Never;
  }
  return std::all_of(listed.begin(), listed.end(), is_own) ? CommitWait::Always
                                                           : CommitWait::Possibly;
}

SynchronousNames read_synchronous_names(Connection& plain) {
  const QueryResult settings = plain.query(
      "SELECT current_setting('synchronous_standby_names'), current_setting('application_name')",
      "asking whom commits wait for");
  SynchronousNames found;
  found.names = settings.text(0, 0);
  found.wait = commit_wait(found.names, settings.text(0, 1));
  return found;
}

std::string commit_wait_advice() {
  return "A commit in production would wait until re_dms has confirmed it: name only the real "
         "standbys in synchronous_standby_names (without *), then SELECT pg_reload_conf()";
}

SynchronousNames require_commits_do_not_wait(Connection& plain, const std::string& slot) {
  SynchronousNames found = read_synchronous_names(plain);
  // Only where the name is on the list can the server count the stream among those it waits for.
  const bool counted =
      found.wait == CommitWait::Always ||
      (found.wait == CommitWait::Possibly &&
       plain
           .query(fmt::format("SELECT EXISTS (SELECT 1 FROM pg_replication_slots s JOIN "
                              "pg_stat_replication r ON r.pid = s.active_pid WHERE slot_name = {} "
                              "AND sync_state IN ('sync', 'quorum'))",
                              quote_literal(slot)),
                  "asking whether commits wait for the stream")
           .flag(0, 0));
  if (counted) {
    throw Refused(
        {ErrorKind::Fatal,
         fmt::format("the source's commits wait for re_dms: synchronous_standby_names = '{}'",
                     found.names),
         commit_wait_advice()});
  }
  return found;
}

}  // namespace re_dms
