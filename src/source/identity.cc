#include "source/identity.h"

#include <fmt/format.h>

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
    throw Error(ErrorKind::Fatal, "the source is a standby",
                "Point source.url at the primary: a slot that must survive belongs there");
  }
  if (facts.text(0, 1) != "logical") {
    throw Error(ErrorKind::Fatal, fmt::format("the source has wal_level = {}", facts.text(0, 1)),
                "Set wal_level = logical and restart PostgreSQL (Amazon RDS and Aurora: parameter "
                "rds.logical_replication = 1, then reboot)");
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
  const QueryResult system =
      replication.query("IDENTIFY_SYSTEM", "asking the source which cluster it is");
  Origin origin;
  origin.system_identifier = system.text(0, 0);
  origin.timeline = static_cast<std::uint32_t>(system.number(0, 1));
  origin.database = system.text(0, 3);
  origin.slot = settings.slot;
  origin.publication = settings.publication;
  origin.server_version = replication.server_version();
  return origin;
}

}  // namespace re_dms
