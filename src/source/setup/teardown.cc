#include "source/setup/teardown.h"

#include <fmt/format.h>

#include "base/failpoint.h"
#include "source/connection/connection.h"
#include "source/connection/sql_text.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"

namespace re_dms {

namespace {

void require_droppable(const SlotState& slot, const std::string& name,
                       const std::string& database) {
  if (slot.active_pid != 0) {
    throw Error(ErrorKind::Transient,
                fmt::format("slot \"{}\" is read by process {}", name, slot.active_pid),
                "Stop the re_dms that reads it (or SELECT pg_terminate_backend(PID)), then try "
                "again. Nothing was dropped");
  }
  if (slot.plugin != "pgoutput" || slot.database != database) {
    throw Error(ErrorKind::Fatal, fmt::format("slot \"{}\" was not created by re_dms", name),
                "Nothing was dropped. Look at source.slot");
  }
}

}  // namespace

std::vector<std::string> drop_slot_and_publication(const SourceSettings& settings,
                                                   TeardownMode mode) {
  const bool drop = mode == TeardownMode::Drop;
  const std::string_view verb = drop ? "dropped" : "would drop";
  std::vector<std::string> lines;
  Connection plain(settings, ConnectionPurpose::Sql);
  const std::optional<SlotState> slot = find_slot(plain, settings.slot);
  if (!slot) {
    lines.push_back(fmt::format("slot \"{}\" does not exist", settings.slot));
  } else {
    if (drop) {
      require_droppable(*slot, settings.slot, PQdb(plain.raw()));
      drop_slot(plain, settings.slot);
    }
    lines.push_back(fmt::format(
        "{} slot \"{}\", which holds {} MiB of WAL{}", verb, settings.slot, slot->held_bytes >> 20,
        !drop && slot->active_pid != 0 ? fmt::format(" (process {} reads it)", slot->active_pid)
                                       : std::string()));
  }
  const std::optional<PublicationState> publication = find_publication(plain, settings.publication);
  if (publication && !settings.auto_setup) {
    lines.push_back(
        fmt::format("publication \"{}\" stays: with source.auto_setup = false re_dms does not own "
                    "it",
                    settings.publication));
  } else if (!publication) {
    lines.push_back(fmt::format("publication \"{}\" does not exist", settings.publication));
  } else {
    if (drop) {
      failpoint("teardown-publication-before");
      plain.query("DROP PUBLICATION " + quote_identifier(settings.publication),
                  fmt::format("dropping publication \"{}\"", settings.publication));
      failpoint("teardown-publication-after");
    }
    lines.push_back(fmt::format("{} publication \"{}\" of {} tables", verb, settings.publication,
                                publication->tables.size()));
  }
  return lines;
}

}  // namespace re_dms
