#include "source/setup/check_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "observe/advice.h"
#include "source/catalog/candidates.h"
#include "source/catalog/published_part.h"
#include "source/connection/connection.h"
#include "source/connection/identity.h"
#include "source/connection/sql_text.h"
#include "source/setup/named_columns.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"
#include "source/setup/synchronous_names.h"

namespace re_dms {

namespace {

using Status = CheckResult::Status;
using Results = std::vector<CheckResult>;

std::string setting(Connection& plain, std::string_view name) {
  return std::string(
      plain.query(fmt::format("SELECT current_setting('{}', true)", name), "reading a setting")
          .text(0, 0));
}

void check_version(Connection& plain, Results& results) {
  const int version = plain.server_version();
  CheckResult result{Status::Ok, "source: version",
                     fmt::format("PostgreSQL {}", version_text(version)), ""};
  if (version < kOldestServer) {
    result.status = Status::Fail;
    result.fix = "re_dms needs PostgreSQL 14 or newer";
  } else if (version < 150000 || version >= 190000) {
    result.status = Status::Warn;
    result.fix = "15 to 18 are supported; others may work";
  }
  results.push_back(result);
}

void check_server(Connection& plain, Results& results) {
  const bool standby =
      plain.query("SELECT pg_is_in_recovery()", "looking at the server").flag(0, 0);
  results.push_back(standby ? CheckResult{Status::Fail, "source: primary", "it is a standby",
                                          "Point source.url at the primary"}
                            : CheckResult{Status::Ok, "source: primary", "yes", ""});
  const std::string level = setting(plain, "wal_level");
  results.push_back({level == "logical" ? Status::Ok : Status::Fail, "source: wal_level", level,
                     level == "logical"
                         ? ""
                         : "Set wal_level = logical and restart PostgreSQL (Amazon RDS and "
                           "Aurora: rds.logical_replication = 1, then reboot)"});
}

void check_encryption(Connection& plain, Results& results) {
  const char* mode = nullptr;
  PQconninfoOption* options = PQconninfo(plain.raw());
  for (const PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr;
       ++option) {
    if (std::string_view(option->keyword) == "sslmode") {
      mode = option->val;
    }
  }
  const std::string chosen = mode != nullptr ? mode : "";
  PQconninfoFree(options);
  const char* host = PQhost(plain.raw());
  const bool socket = host == nullptr || host[0] == '\0' || host[0] == '/';
  const bool encrypted = PQsslInUse(plain.raw()) != 0;
  CheckResult result{Status::Ok, "source: encryption", fmt::format("sslmode={}", chosen), ""};
  if (socket) {
    result.finding = "Unix socket";
  } else if (!encrypted || (chosen != "verify-full" && chosen != "verify-ca")) {
    result.status = Status::Warn;
    result.finding = encrypted
                         ? fmt::format("sslmode={}: the server's identity is not verified", chosen)
                         : "the connection is not encrypted";
    result.fix = "Put sslmode=verify-full and sslrootcert=FILE into source.url";
  }
  results.push_back(result);
}

void check_text(Connection& plain, Results& results) {
  if (plain.raw_text()) {
    results.push_back(
        {Status::Warn, "source: encoding",
         "SQL_ASCII: PostgreSQL does not check which bytes text has",
         "A table with a value that is not UTF-8 will be set aside, and the reason will name the "
         "column. Correct such values first, or move the database to the encoding UTF8"});
  }
}

/// True when the source is the one that the journal belongs to.
bool check_replication_right(const SourceSettings& settings, const std::optional<Origin>& journal,
                             Results& results) {
  try {
    const Origin origin = identify_source(settings);
    if (journal) {
      require_same_source(*journal, origin);
    }
    results.push_back({Status::Ok, "source: replication right",
                       fmt::format("cluster {}, timeline {}, database {}", origin.system_identifier,
                                   origin.timeline, origin.database),
                       ""});
    return journal.has_value();
  } catch (const Error& error) {
    results.push_back({Status::Fail, "source: replication right", error.message(), error.advice()});
    return false;
  }
}

void check_room(Connection& plain, std::string_view what, std::string_view limit_name,
                std::string_view count_sql, int needed, Results& results) {
  const int limit = std::stoi(setting(plain, limit_name));
  const auto used =
      static_cast<int>(plain.query(std::string(count_sql), "counting what is in use").number(0, 0));
  const bool enough = limit - used >= needed;
  results.push_back({enough ? Status::Ok : Status::Fail, fmt::format("source: {}", what),
                     fmt::format("{} of {} in use", used, limit),
                     enough ? ""
                            : fmt::format("Raise {} and restart PostgreSQL, or end one that nobody "
                                          "needs",
                                          limit_name)});
}

std::vector<CandidateTable> publishable(Connection& plain, const SourceSettings& settings) {
  auto tables = list_candidates(plain, TableSelection(settings.include, settings.exclude));
  std::erase_if(tables, [](const CandidateTable& table) { return !table.problem.empty(); });
  return tables;
}

/// Whether the role has what CREATE PUBLICATION for these tables takes.
bool may_publish(Connection& plain, const std::vector<CandidateTable>& tables) {
  std::vector<Oid> oids;
  for (const CandidateTable& table : tables) {
    oids.push_back(table.oid);
  }
  return plain
      .query(
          fmt::format("SELECT has_database_privilege(current_database(), 'CREATE') AND NOT EXISTS "
                      "(SELECT 1 FROM pg_class WHERE oid = ANY ({}) AND NOT "
                      "pg_has_role(relowner, 'USAGE'))",
                      oid_array(oids)),
          "asking for the right to publish")
      .flag(0, 0);
}

void check_publication(Connection& plain, const SourceSettings& settings, bool begun,
                       Results& results) {
  const auto state = find_publication(plain, settings.publication);
  CheckResult result{Status::Ok, "source: publication", "", ""};
  if (!state && begun) {
    result.status = Status::Fail;
    result.finding = fmt::format("\"{}\" is gone", settings.publication);
    result.fix = begin_anew("Changes since it was dropped cannot be recovered. ");
  } else if (!state) {
    result.finding = fmt::format("\"{}\" does not exist yet", settings.publication);
    if (!settings.auto_setup) {
      result.status = Status::Fail;
      result.fix = "With source.auto_setup = false it has to be made by hand";
    } else if (const auto tables = publishable(plain, settings); !may_publish(plain, tables)) {
      result.status = Status::Fail;
      result.finding += ", and the role may not create it";
      result.fix = publishing_advice(create_publication_sql(settings.publication, tables));
    }
  } else {
    const auto problems = publication_problems(*state, settings.publication, begun);
    result.finding =
        fmt::format("\"{}\" publishes {} tables", settings.publication, state->tables.size());
    const auto unselected =
        unselected_tables(*state, TableSelection(settings.include, settings.exclude));
    if (!problems.empty()) {
      result.status = Status::Fail;
      result.fix = fmt::format("{}", fmt::join(problems, "; "));
    } else if (!unselected.empty()) {
      result.status = Status::Fail;
      result.finding += fmt::format(", {} of them not selected", unselected.size());
      result.fix = unselected_advice(settings.publication, unselected);
    }
  }
  results.push_back(result);
}

void check_slot(const std::optional<SlotState>& slot, const SourceSettings& settings,
                const std::string& database, bool ours, bool begun, Results& results) {
  CheckResult result{Status::Ok, "source: slot", "", ""};
  if (!slot && begun) {
    result.status = Status::Fail;
    result.finding = fmt::format("\"{}\" is gone", settings.slot);
    result.fix = begin_anew("The changes since its last position cannot be recovered. ");
  } else if (!slot) {
    result.finding = fmt::format("\"{}\" does not exist yet", settings.slot);
    if (!settings.auto_setup) {
      result.status = Status::Fail;
      result.fix = "With source.auto_setup = false it has to be made by hand";
    }
  } else {
    const std::string problem = slot_problem(*slot, database);
    result.finding = fmt::format(
        "\"{}\" stands at {} and holds {} MiB of WAL{}", settings.slot, slot->confirmed_flush,
        slot->held_bytes >> 20,
        slot->active_pid == 0 ? "" : fmt::format("; process {} reads it", slot->active_pid));
    if (!ours && settings.auto_setup) {
      const Error error = foreign_slot(*slot, settings.slot, database);
      result = {Status::Fail, result.name, error.message(), error.advice()};
    } else if (!problem.empty()) {
      result.status = Status::Fail;
      result.finding += ", but " + problem;
      result.fix = unusable_slot_advice(slot);
    }
  }
  results.push_back(result);
}

void check_tables(Connection& plain, const SourceSettings& settings, Results& results) {
  const auto candidates =
      list_candidates(plain, TableSelection(settings.include, settings.exclude));
  const auto left_out = std::count_if(candidates.begin(), candidates.end(),
                                      [](const CandidateTable& t) { return !t.problem.empty(); });
  const auto usable = static_cast<std::ptrdiff_t>(candidates.size()) - left_out;
  results.push_back({usable > 0 ? Status::Ok : Status::Warn, "source: tables",
                     fmt::format("{} match and can be replicated", usable),
                     usable > 0 ? "" : "Look at source.include and source.exclude"});
  for (const CandidateTable& table : candidates) {
    if (!table.problem.empty()) {
      results.push_back({Status::Warn, "source: table left out", to_string(table.name),
                         "It is left out because " + table.problem});
    }
  }
}

/// What somebody published in part, and what PostgreSQL makes of it.
void check_parts(Connection& plain, const SourceSettings& settings, Results& results) {
  for (const PublishedPart& part : published_parts(plain, settings.publication)) {
    const std::string problem = part_problem(part, settings.publication);
    results.push_back({problem.empty() ? Status::Ok : Status::Warn, "source: table in part",
                       fmt::format("{}: {}{}{}", to_string(part.table),
                                   part.columns.empty() ? "" : "columns " + part.columns,
                                   part.columns.empty() || part.filter.empty() ? "" : "; ",
                                   part.filter.empty() ? "" : "rows where " + part.filter),
                       problem});
  }
}

void check_named_columns(Connection& plain, const SourceSettings& settings, Results& results) {
  for (const std::string& named : unknown_columns(plain, settings)) {
    results.push_back({Status::Warn, "source: column", named,
                       "No table that the section is for has that column: look at its name, in the "
                       "letters that PostgreSQL has it"});
  }
}

void check_commit_wait(Connection& plain, Results& results) {
  const auto [names, wait] = read_synchronous_names(plain);
  CheckResult result{Status::Ok, "source: commits wait for re_dms", "no", ""};
  if (wait != CommitWait::Never) {
    result.status = wait == CommitWait::Always ? Status::Fail : Status::Warn;
    result.finding = fmt::format("{}: synchronous_standby_names = '{}'",
                                 wait == CommitWait::Always ? "all of them" : "some may", names);
    result.fix = commit_wait_advice();
  }
  results.push_back(result);
}

void check_retention(Connection& plain, Results& results) {
  const std::string limit = setting(plain, "max_slot_wal_keep_size");
  const bool unlimited = limit == "-1";
  results.push_back(
      {unlimited ? Status::Warn : Status::Ok, "source: max_slot_wal_keep_size",
       unlimited ? "unlimited: while re_dms is down, the source keeps all WAL" : limit,
       unlimited ? "Set a limit that fits the disk: beyond it the slot is lost and replication has "
                   "to start over, but the source stays up"
                 : ""});
}

/// A setting since PostgreSQL 18; empty on older servers.
void check_idle_slots(Connection& plain, Results& results) {
  const std::string limit = setting(plain, "idle_replication_slot_timeout");
  if (!limit.empty() && limit != "0") {
    results.push_back(
        {Status::Warn, "source: idle_replication_slot_timeout",
         fmt::format("{}: a slot that is not read for that long is lost", limit),
         "While re_dms is down or its journal is full, it does not read the slot: set this to 0 "
         "and let max_slot_wal_keep_size protect the disk"});
  }
}

}  // namespace

std::vector<CheckResult> check_source(const SourceSettings& settings,
                                      const std::optional<Origin>& journal) {
  Results results;
  try {
    Connection plain(settings, ConnectionPurpose::Sql);
    results.push_back({Status::Ok, "source: connection",
                       fmt::format("database {} as {}", PQdb(plain.raw()), PQuser(plain.raw())),
                       ""});
    check_version(plain, results);
    check_server(plain, results);
    check_encryption(plain, results);
    check_text(plain, results);
    const bool same = check_replication_right(settings, journal, results);
    const bool begun = same && journal->created;
    const std::optional<SlotState> slot = find_slot(plain, settings.slot);
    check_room(plain, "replication slots", "max_replication_slots",
               "SELECT count(*) FROM pg_replication_slots", slot ? 0 : 1, results);
    check_room(plain, "wal senders", "max_wal_senders", "SELECT count(*) FROM pg_stat_replication",
               slot && slot->active_pid != 0 ? 0 : 1, results);
    check_publication(plain, settings, begun, results);
    const bool ours =
        journal && (journal->created || (journal->slot_is_ours && journal->slot == settings.slot));
    check_slot(slot, settings, PQdb(plain.raw()), ours, begun, results);
    check_tables(plain, settings, results);
    check_parts(plain, settings, results);
    check_named_columns(plain, settings, results);
    check_commit_wait(plain, results);
    check_retention(plain, results);
    check_idle_slots(plain, results);
  } catch (const Error& error) {
    results.push_back({Status::Fail, results.empty() ? "source: connection" : "source: questions",
                       error.message(), error.advice()});
  }
  return results;
}

}  // namespace re_dms
