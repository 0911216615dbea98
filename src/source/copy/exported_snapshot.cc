#include "source/copy/exported_snapshot.h"

#include <fmt/format.h>

#include <random>

#include "base/failpoint.h"
#include "source/connection/identity.h"
#include "source/connection/sql_text.h"
#include "source/setup/slot.h"

namespace re_dms {

namespace {

/// No other name of this or another daemon. PostgreSQL takes 63 characters.
std::string slot_name(const std::string& slot) {
  constexpr std::size_t kKept = 45;
  return fmt::format("{}_copy_{:08x}", slot.substr(0, kKept), std::random_device()());
}

}  // namespace

ExportedSnapshot::ExportedSnapshot(const SourceSettings& settings, const Origin& origin,
                                   std::chrono::milliseconds patience, const std::stop_token& stop)
    : replication_(settings, ConnectionPurpose::Replication, stop) {
  require_same_source(origin, identify_server(replication_, settings).origin);
  replication_.stop_with(stop);
  replication_.wait_at_most(patience + kSetUpPatience);
  // statement_timeout does not end the creation of a slot, lock_timeout does (PostgreSQL 15).
  replication_.query(fmt::format("SET lock_timeout = {}", patience.count()),
                     "preparing a snapshot");
  failpoint("copy-slot-before");
  const auto slot = replication_.query_unless(
      fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT",
                  quote_identifier(slot_name(settings.slot))),
      "55P03", "creating a temporary slot for a copy");
  failpoint("copy-slot-after");
  if (!slot) {
    Connection plain(settings, ConnectionPurpose::Sql);
    const std::string writers = describe_writers(plain);
    throw Error(ErrorKind::Transient,
                fmt::format("a copy can begin only once every older transaction has ended, and one "
                            "did not within {} s; open now: {}",
                            std::chrono::duration<double>(patience).count(),
                            writers.empty() ? "none" : writers));
  }
  position_ = slot->lsn(0, 1);
  name_ = slot->text(0, 2);
}

}  // namespace re_dms
