#include "app/run_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "app/status_pages.h"
#include "observe/log.h"

namespace re_dms {

namespace {

std::uint64_t count(const Metric& metric) {
  return static_cast<std::uint64_t>(metric.value());
}

/// What stands in the way, most serious first.
void describe_state(DaemonStatus& status, const RunState::View& view, bool loading_paused,
                    bool journal_full, const std::string& why_full) {
  if (view.stopping) {
    status.state = DaemonState::Stopping;
  } else if (!view.source_trouble.text.empty() && !journal_full) {
    // While the journal is full the source is left alone, whatever was the matter with it before.
    status.state = DaemonState::Reconnecting;
    status.reason = view.source_trouble.text;
  } else if (loading_paused && view.warehouse_ready) {
    status.state = DaemonState::Paused;
    status.reason =
        "loading is paused until `re_dms resume`; " +
        (journal_full ? "nothing is received: " + why_full : "changes are read into the journal");
  } else if (!view.stage_trouble.text.empty() || !view.warehouse_trouble.text.empty()) {
    const bool stage = !view.stage_trouble.text.empty();
    status.state = stage ? DaemonState::StageAway : DaemonState::WarehouseAway;
    status.reason = stage ? view.stage_trouble.text : view.warehouse_trouble.text;
    if (journal_full) {
      status.reason += ". Meanwhile nothing is received: " + why_full;
    }
  } else if (journal_full) {
    status.state = DaemonState::Paused;
    status.reason = why_full;
  } else if (!view.source_ready || !view.warehouse_ready) {
    status.state = DaemonState::Starting;
  } else {
    status.state = DaemonState::Streaming;
  }
}

std::string why_full(const JournalLimits& limits, bool disk_low) {
  if (disk_low) {
    return fmt::format(
        "the disk of {} is nearly full, and journal.reserve_bytes of it must stay free; reading "
        "resumes when there is room again: remove other files there or use a larger disk",
        limits.directory);
  }
  return "the journal is at journal.max_bytes; reading resumes when loads free some of it";
}

/// Whether the table can go on where it stands.
std::string kept_text(const TableRecord& table) {
  if (table.resumable) {
    return fmt::format("{}; the journal keeps its changes since {}", table.reason, table.position);
  }
  const bool holds_rows = table.state == TableState::Paused && table.position.known();
  return holds_rows ? fmt::format(
                          "{}; the journal has not kept its changes since {}: only "
                          "`re_dms resync` brings it back",
                          table.reason, table.position)
                    : table.reason;
}

PaceStatus pace_status(const CopyPace& pace) {
  return {pace.rows_per_second, pace.bytes_per_second, pace.seconds_left};
}

ComingTable coming_table(const TableRecord& table, const CopyFigures& figures) {
  ComingTable coming;
  coming.table = to_string(table.name);
  coming.state = to_string(table.state);
  coming.reason = table.reason;
  coming.rows = table.copy.rows;
  coming.rows_estimated = table.copy.rows_estimated;
  coming.bytes = bytes_done(table);
  coming.bytes_estimated = table.copy.bytes_estimated;
  coming.journal_bytes_left = table.copy.journal_bytes_left;
  if (const auto pace = figures.paces.find(table.oid); pace != figures.paces.end()) {
    coming.pace = pace_status(pace->second);
  }
  return coming;
}

void describe_tables(DaemonStatus& status, const RunState::View& view, const CopyFigures& figures) {
  status.tables.copies = copies_status(figures.wave);
  for (const TableRecord& table : figures.tables) {
    const bool followed = table.state == TableState::Live || table.state == TableState::CatchingUp;
    if (followed && table.initial_copy == InitialCopy::Never) {
      status.tables.not_copied.push_back(
          {to_string(table.name), "its initial_copy was \"never\" when it began"});
    }
    switch (table.state) {
      case TableState::Live:
        ++status.tables.live;
        break;
      case TableState::SetAside:
        status.tables.not_live.push_back({to_string(table.name), kept_text(table)});
        break;
      case TableState::Paused:
        status.tables.paused.push_back({to_string(table.name), kept_text(table)});
        break;
      case TableState::Removed:
        status.tables.removed.push_back({to_string(table.name), table.reason});
        break;
      case TableState::Waiting:
      case TableState::Copying:
      case TableState::CatchingUp:
        status.tables.coming.push_back(coming_table(table, figures));
        break;
    }
  }
  for (const LeftOut& table : view.left_out) {
    status.tables.left_out.push_back({to_string(table.table), table.reason});
  }
}

void describe_trouble(DaemonStatus& status, const RunState::View& view) {
  for (const Trouble& trouble : {view.source_trouble, view.warehouse_trouble, view.stage_trouble}) {
    if (!trouble.text.empty()) {
      status.last_error = LastError{trouble.text, trouble.since};
    }
  }
}

}  // namespace

CopiesStatus copies_status(const CopyWave& wave) {
  CopiesStatus status;
  status.waiting = wave.waiting;
  if (wave.ended) {
    return status;
  }
  status.since = wave.began;
  status.copying = wave.copying;
  status.catching_up = wave.catching_up;
  status.live = wave.live;
  status.rows = wave.rows;
  status.bytes = wave.bytes;
  status.bytes_estimated = wave.bytes_estimated;
  status.journal_bytes_left = wave.journal_bytes_left;
  status.pace = pace_status(wave.pace);
  return status;
}

DaemonStatus RunStatus::read() const {
  const RunState::View view = state_.view();
  DaemonStatus status;
  status.version = RE_DMS_VERSION;
  status.now = clock_.now();
  status.uptime_seconds = std::chrono::duration<double>(clock_.steady() - started_).count();
  status.source.connected = view.source_ready;
  status.source.rows_received = count(state_.rows_received);
  status.journal.bytes = static_cast<std::uint64_t>(state_.journal_bytes.load());
  status.journal.max_bytes = settings_.journal.max_bytes;
  status.batch.memory_bytes = state_.fold_bytes.load();
  status.batch.rows = state_.fold_rows.load();
  status.warehouse.name = view.warehouse;
  status.warehouse.rows_loaded = count(state_.rows_loaded);
  status.warehouse.batches_loaded = count(state_.batches_loaded);
  if (view.last_load.number != 0) {
    status.warehouse.last_load =
        LastLoad{view.last_load.rows, view.last_load.seconds, view.last_load.at};
  }
  fill_progress(status, state_.progress, status.now);
  describe_state(status, view, state_.tables.loading_paused(), state_.journal_full,
                 why_full(settings_.journal, state_.disk_low));
  describe_tables(status, view, state_.copies.read());
  describe_trouble(status, view);
  status.log_lines_lost = log_lines_lost();
  set_gauges(status);
  set_copy_gauges(status.tables.copies);
  return status;
}

void RunStatus::set_gauges(const DaemonStatus& status) const {
  const auto gauge = [this](std::string_view name, std::string_view help, double value) {
    state_.metrics.gauge(name, help).set(value);
  };
  const auto position = [](const ProgressMark& mark) {
    return static_cast<double>(mark.lsn().value);
  };
  const Progress& progress = state_.progress;
  gauge("re_dms_up", "1 while streaming and loading", status.state == DaemonState::Streaming);
  gauge("re_dms_lag_bytes", "WAL between the server's end and the target",
        static_cast<double>(status.lag.bytes));
  if (status.lag.seconds) {
    gauge("re_dms_lag_seconds", "Age of the last commit in the target", *status.lag.seconds);
  }
  gauge("re_dms_journal_bytes", "Size of the journal", static_cast<double>(status.journal.bytes));
  gauge("re_dms_fold_memory_bytes", "Memory of the batch being filled",
        static_cast<double>(status.batch.memory_bytes));
  gauge("re_dms_fold_rows", "Row changes in the batch being filled",
        static_cast<double>(status.batch.rows));
  gauge("re_dms_server_lsn", "End of the server's WAL",
        static_cast<double>(std::max(progress.server.lsn(), progress.received.lsn()).value));
  gauge("re_dms_received_lsn", "Position received", position(progress.received));
  gauge("re_dms_journaled_lsn", "Position durable in the journal", position(progress.journaled));
  gauge("re_dms_staged_lsn", "Position in complete staged batches", position(progress.staged));
  gauge("re_dms_loaded_lsn", "Position in the target", position(progress.loaded));
  gauge("re_dms_tables_live", "Tables replicated", static_cast<double>(status.tables.live));
  gauge("re_dms_tables_not_live", "Tables set aside",
        static_cast<double>(status.tables.not_live.size()));
  gauge("re_dms_tables_paused", "Tables that somebody paused",
        static_cast<double>(status.tables.paused.size()));
  gauge("re_dms_tables_removed", "Tables that the source has no longer",
        static_cast<double>(status.tables.removed.size()));
  gauge("re_dms_tables_coming", "Tables that wait for a copy, are copied or catch up",
        static_cast<double>(status.tables.coming.size()));
  state_.metrics
      .counter("re_dms_tables_copied_anew_total",
               "Copies of tables that were live, for what the stream could not tell")
      .set(static_cast<double>(state_.tables.doubts()));
  gauge("re_dms_tables_left_out", "Tables that source.include matches and that are not replicated",
        static_cast<double>(status.tables.left_out.size()));
  state_.metrics
      .counter("re_dms_log_lines_lost_total",
               "Lines of the log that nobody read or that could not be written")
      .set(static_cast<double>(status.log_lines_lost));
}

void RunStatus::set_copy_gauges(const CopiesStatus& copies) const {
  const auto gauge = [this](std::string_view name, std::string_view help, auto value) {
    state_.metrics.gauge(name, help).set(static_cast<double>(value));
  };
  gauge("re_dms_tables_waiting", "Tables that wait for a copy", copies.waiting);
  gauge("re_dms_tables_copying", "Tables that are copied", copies.copying);
  gauge("re_dms_tables_catching_up", "Tables that have a copy and catch up", copies.catching_up);
  gauge("re_dms_copy_rows", "Rows copied of the tables on their way", copies.rows);
  gauge("re_dms_copy_bytes", "Bytes copied of the tables on their way, as their files have them",
        copies.bytes);
  gauge("re_dms_copy_estimated_bytes", "Bytes of the tables on their way", copies.bytes_estimated);
  gauge("re_dms_copy_rows_per_second", "Rows copied, over the last 30 seconds",
        copies.pace.rows_per_second.value_or(0));
  gauge("re_dms_copy_bytes_per_second", "Bytes copied, over the last 30 seconds",
        copies.pace.bytes_per_second.value_or(0));
  gauge("re_dms_copy_remaining_seconds",
        "How long copies still take; 0 without one, NaN while it is too early to tell",
        copies.since ? copies.pace.seconds_left.value_or(std::numeric_limits<double>::quiet_NaN())
                     : 0);
  gauge("re_dms_catch_up_journal_bytes", "Bytes of the journal that catching up has still to read",
        copies.journal_bytes_left);
}

}  // namespace re_dms
