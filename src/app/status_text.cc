#include "app/status_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quantities.h"
#include "observe/copies_text.h"

namespace re_dms {

namespace {

std::string line(std::string_view name, std::string_view value, std::string_view note = {}) {
  return note.empty() ? fmt::format("  {:<11}{}\n", name, value)
                      : fmt::format("  {:<11}{:<18} {}\n", name, value, note);
}

std::string position(const std::string& lsn) {
  return lsn.empty() ? "-" : lsn;
}

double seconds_between(SystemTime from, SystemTime to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string journal_text(const JournalStatus& journal) {
  const double share = journal.max_bytes == 0 ? 0
                                              : 100 * static_cast<double>(journal.bytes) /
                                                    static_cast<double>(journal.max_bytes);
  return fmt::format("{} of {} ({:.0f} %)", size_text(journal.bytes), size_text(journal.max_bytes),
                     share);
}

std::string last_load_text(const LastLoad& last, SystemTime now) {
  return fmt::format("{} rows in {}, {} ago", count_text(last.rows), duration_text(last.seconds),
                     duration_text(seconds_between(last.at, now)));
}

std::string troubles_text(std::string_view title, const std::vector<TableTrouble>& troubles) {
  if (troubles.empty()) {
    return {};
  }
  std::size_t width = 0;
  for (const TableTrouble& trouble : troubles) {
    width = std::max(width, trouble.table.size());
  }
  std::string text = fmt::format("\n{}:\n", title);
  for (const TableTrouble& trouble : troubles) {
    text += fmt::format("  {:<{}}  {}\n", trouble.table, width, trouble.reason);
  }
  return text;
}

}  // namespace

std::string lag_text(const LagStatus& lag) {
  if (!lag.seconds) {
    return fmt::format("{} behind", size_text(lag.bytes));
  }
  if (*lag.seconds <= 0) {
    return "up to date";
  }
  return fmt::format("{} behind, {} of WAL", duration_text(*lag.seconds), size_text(lag.bytes));
}

std::string tables_text(const TablesStatus& tables) {
  std::string text = fmt::format("{} live", tables.live);
  if (!tables.coming.empty()) {
    text += fmt::format(", {} on their way", tables.coming.size());
  }
  if (!tables.not_live.empty()) {
    text += fmt::format(", {} set aside", tables.not_live.size());
  }
  if (!tables.paused.empty()) {
    text += fmt::format(", {} paused", tables.paused.size());
  }
  if (!tables.removed.empty()) {
    text += fmt::format(", {} removed", tables.removed.size());
  }
  if (!tables.left_out.empty()) {
    text += fmt::format(", {} left out", tables.left_out.size());
  }
  return text;
}

std::string to_text(const DaemonStatus& status) {
  std::string text = fmt::format("re_dms {}, {}, up {}\n\n", status.version, state_text(status),
                                 duration_text(status.uptime_seconds));
  text += line("source", position(status.source.server_lsn),
               status.source.connected ? "end of WAL, connected" : "end of WAL, NOT connected");
  text += line("received", position(status.source.received_lsn),
               fmt::format("{} row changes", count_text(status.source.rows_received)));
  text += line("journaled", position(status.source.journaled_lsn), "safe here");
  text += line("staged", position(status.batch.staged_lsn),
               fmt::format("next batch: {} row changes, {} of memory",
                           count_text(status.batch.rows), size_text(status.batch.memory_bytes)));
  text += line("loaded", position(status.warehouse.loaded_lsn), lag_text(status.lag));
  text += "\n";
  text += line("journal", journal_text(status.journal));
  text += line("warehouse", status.warehouse.name.empty() ? "-" : status.warehouse.name);
  text +=
      line("loads", fmt::format("{} batches, {} rows", count_text(status.warehouse.batches_loaded),
                                count_text(status.warehouse.rows_loaded)));
  if (status.warehouse.last_load) {
    text += line("last load", last_load_text(*status.warehouse.last_load, status.now));
  }
  text += line("tables", tables_text(status.tables));
  text += copies_text(status.tables);
  text += troubles_text("Set aside: left in the target as they were, while the others go on",
                        status.tables.not_live);
  text += troubles_text("Paused: left as they are until `re_dms resume`", status.tables.paused);
  text +=
      troubles_text("Removed: no longer in the source, left in the target", status.tables.removed);
  text += troubles_text(
      "Not copied: followed, with rows from before only where somebody put them in the target",
      status.tables.not_copied);
  text += troubles_text("Left out: matched by source.include and not replicated",
                        status.tables.left_out);
  if (status.log_lines_lost > 0) {
    text += fmt::format("\nLog: {} lines are lost, because standard error was not read\n",
                        count_text(status.log_lines_lost));
  }
  if (status.last_error) {
    text += fmt::format("\nLast error, {} ago:\n  {}\n",
                        duration_text(seconds_between(status.last_error->at, status.now)),
                        status.last_error->text);
  }
  return text;
}

}  // namespace re_dms
