#include "source/setup/first_start.h"

#include <fmt/format.h>

#include "observe/log.h"
#include "source/connection/connection.h"
#include "source/connection/sql_text.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"

namespace re_dms {

namespace {

/// How long the server's process that makes the slot may take to end.
constexpr int kWalsenderEndsMs = 10000;

/// Runs `drop`; what it drops stays behind when it fails.
template <typename F>
std::string left_by(std::string_view what, const std::string& statement, F drop) {
  try {
    drop();
    return "";
  } catch (const Error& error) {
    const std::string left =
        fmt::format("{} is left behind because it could not be dropped ({}): {}", what,
                    error.message(), statement);
    log(LogLevel::Error, "left_behind", left, {});
    return left;
  }
}

}  // namespace

std::string FirstStart::take_back(ErrorKind reason) {
  std::string left;
  if (slot_) {
    left = left_by(fmt::format("Slot \"{}\", for which the source keeps all WAL,", settings_.slot),
                   fmt::format("SELECT pg_drop_replication_slot({}), or the next start of re_dms, "
                               "drops it",
                               quote_literal(settings_.slot)),
                   [this] { drop_slot_of_ours(); });
  }
  if (publication_ && reason != ErrorKind::Transient) {
    const std::string kept =
        left_by(fmt::format("Publication \"{}\"", settings_.publication),
                fmt::format("DROP PUBLICATION {}", quote_identifier(settings_.publication)),
                [this] { drop_publication(); });
    left += (left.empty() || kept.empty() ? "" : ". ") + kept;
  }
  return left;
}

void FirstStart::drop_slot_of_ours() {
  Connection plain(settings_, ConnectionPurpose::Sql);
  std::optional<SlotState> slot = find_slot(plain, settings_.slot);
  if (slot && slot->active_pid != 0 && slot->active_pid == walsender_) {
    // Our connection is gone, and the server has not seen it yet. What it had not finished, it
    // drops itself.
    plain.query(
        fmt::format("SELECT pg_terminate_backend({}, {})", slot->active_pid, kWalsenderEndsMs),
        "ending the process that makes the slot");
    slot = find_slot(plain, settings_.slot);
  }
  if (slot) {
    drop_slot(plain, settings_.slot);
    log(LogLevel::Info, "slot_dropped", "dropped the slot, as the first start failed",
        {{"slot", settings_.slot}});
  }
  slot_ = false;
}

void FirstStart::drop_publication() {
  Connection plain(settings_, ConnectionPurpose::Sql);
  if (find_publication(plain, settings_.publication)) {
    plain.query("DROP PUBLICATION " + quote_identifier(settings_.publication),
                fmt::format("dropping publication \"{}\"", settings_.publication));
  }
  publication_ = false;
}

}  // namespace re_dms
