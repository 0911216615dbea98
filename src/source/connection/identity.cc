#include "source/connection/identity.h"

#include <fmt/format.h>

#include "observe/advice.h"

namespace re_dms {

namespace {

void require_usable(Connection& plain) {
  if (plain.server_version() < kOldestServer) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the source is PostgreSQL {}", version_text(plain.server_version())),
                "re_dms needs 14 or newer; 15 to 18 are supported");
  }
  const QueryResult facts = plain.query("SELECT pg_is_in_recovery(), current_setting('wal_level')",
                                        "looking at the server");
  if (facts.flag(0, 0)) {
    throw Refused({ErrorKind::Fatal, "the source is a standby",
                   "Point source.url at the primary: a slot that must survive belongs there"});
  }
  if (facts.text(0, 1) != "logical") {
    throw Error(ErrorKind::Fatal, fmt::format("the source has wal_level = {}", facts.text(0, 1)),
                "Set wal_level = logical and restart PostgreSQL (Amazon RDS and Aurora: parameter "
                "rds.logical_replication = 1, then reboot)");
  }
}

void require_same(std::string_view what, const std::string& before, const std::string& now) {
  if (before != now) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the journal belongs to {} {}, but source.url leads to {}", what, before, now),
        "Positions of one cannot be used in the other. Point source.url at the source the journal "
        "was begun with, or give this one a journal.directory and a warehouse.url of its own");
  }
}

/// For what the configuration alone decides.
void require_same_name(std::string_view what, const std::string& before, const std::string& now) {
  if (before != now) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the journal belongs to {0} \"{1}\", but source.{0} is \"{2}\"", what,
                            before, now),
                fmt::format("Set source.{} = \"{}\" again, or give the new one a "
                            "journal.directory and a warehouse.url of its own",
                            what, before));
  }
}

}  // namespace

std::string version_text(int server_version) {
  return fmt::format("{}.{}", server_version / 10000, server_version % 10000);
}

Origin identify_source(const SourceSettings& settings) {
  Connection plain(settings, ConnectionPurpose::Sql);
  require_usable(plain);
  Connection replication(settings, ConnectionPurpose::Replication);
  return identify_server(replication, settings).origin;
}

Identity identify_server(Connection& replication, const SourceSettings& settings) {
  require_usable(replication);
  const QueryResult system =
      replication.query("IDENTIFY_SYSTEM", "asking the source which cluster it is");
  Identity identity;
  // Of a primary the position is the end of the flushed WAL (PostgreSQL 15, walsender.c,
  // IdentifySystem).
  identity.flushed = system.lsn(0, 2);
  Origin& origin = identity.origin;
  origin.system_identifier = system.text(0, 0);
  origin.timeline = static_cast<std::uint32_t>(system.number(0, 1));
  origin.database = system.text(0, 3);
  origin.slot = settings.slot;
  origin.publication = settings.publication;
  origin.server_version = replication.server_version();
  return identity;
}

void require_same_source(const Origin& journal, const Origin& now) {
  require_same("the cluster", journal.system_identifier, now.system_identifier);
  require_same("database", journal.database, now.database);
  require_same_name("slot", journal.slot, now.slot);
  require_same_name("publication", journal.publication, now.publication);
  if (journal.timeline != now.timeline) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the source was promoted or restored: its timeline is {}, the journal's "
                    "is {}",
                    now.timeline, journal.timeline),
        begin_anew("What the journal holds may not be part of the new timeline's history. "))
        .needing_a_person();
  }
}

void require_same_cluster(const Origin& journal, Connection& plain) {
  constexpr std::string_view kInsufficientPrivilege = "42501";
  const std::optional<QueryResult> system =
      plain.query_unless("SELECT system_identifier FROM pg_control_system()",
                         kInsufficientPrivilege, "asking the source which cluster it is");
  if (system) {
    // The column is a bigint, where IDENTIFY_SYSTEM prints the same 64 bits without a sign.
    require_same("the cluster", journal.system_identifier,
                 std::to_string(static_cast<std::uint64_t>(system->number(0, 0))));
  }
}

}  // namespace re_dms
