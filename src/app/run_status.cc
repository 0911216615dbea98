#include "app/run_status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <utility>

#include "app/status_pages.h"
#include "observe/log.h"

namespace re_dms {

namespace {

std::uint64_t count(const prometheus::Counter& counter) {
  return static_cast<std::uint64_t>(counter.Value());
}

/// Of this process, in RAM (proc(5), statm); 0 where nothing tells.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
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
  count_absence(status, view);
  describe_state(status, view, state_.tables.loading_paused(), state_.journal_full,
                 why_full(settings_.journal, state_.disk_low));
  describe_tables(status, view, state_.copies.read());
  describe_trouble(status, view);
  status.log_lines_lost = log_lines_lost();
  set_gauges(status);
  return status;
}

/// A source that does not answer may have had commits ever since.
void RunStatus::count_absence(DaemonStatus& status, const RunState::View& view) {
  if (!view.source_ready && !view.source_trouble.text.empty() && status.lag.seconds) {
    const auto away = std::chrono::duration<double>(status.now - view.source_trouble.since);
    status.lag.seconds = std::max(*status.lag.seconds, away.count());
  }
}

void RunStatus::set_gauges(const DaemonStatus& status) const {
  Metrics& metrics = state_.metrics;
  const auto set = [&metrics](GaugeName name, auto value) {
    metrics.gauge(name).Set(static_cast<double>(value));
  };
  const auto position = [](const ProgressMark& mark) { return mark.lsn().value; };
  const Progress& progress = state_.progress;
  set("re_dms_up", status.state == DaemonState::Streaming);
  for (const DaemonState state : kDaemonStates) {
    metrics.gauge("re_dms_state", to_string(state)).Set(state == status.state ? 1 : 0);
  }
  metrics.gauge("re_dms_build_info", RE_DMS_VERSION).Set(1);
  set("re_dms_start_time_seconds",
      std::chrono::duration<double>(status.now.time_since_epoch()).count() - status.uptime_seconds);
  set("re_dms_lag_bytes", status.lag.bytes);
  if (status.lag.seconds) {
    set("re_dms_lag_seconds", *status.lag.seconds);
  }
  set("re_dms_journal_bytes", status.journal.bytes);
  set("re_dms_journal_max_bytes", status.journal.max_bytes);
  set("re_dms_journal_used_ratio",
      static_cast<double>(status.journal.bytes) / static_cast<double>(status.journal.max_bytes));
  const auto age = [now = clock_.steady()](SteadyTime since) {
    return since == SteadyTime{} ? 0 : std::chrono::duration<double>(now - since).count();
  };
  set("re_dms_journal_oldest_seconds", age(state_.journal_oldest));
  set("re_dms_fold_age_seconds", age(state_.fold_since));
  set("re_dms_reading_paused", state_.journal_full.load());
  set("re_dms_fold_memory_bytes", status.batch.memory_bytes);
  set("re_dms_fold_rows", status.batch.rows);
  set("re_dms_server_lsn", std::max(progress.server.lsn(), progress.received.lsn()).value);
  set("re_dms_received_lsn", position(progress.received));
  set("re_dms_journaled_lsn", position(progress.journaled));
  set("re_dms_staged_lsn", position(progress.staged));
  set("re_dms_loaded_lsn", position(progress.loaded));
  metrics.raise("re_dms_log_lines_lost_total", static_cast<double>(status.log_lines_lost));
  set_memory_gauges();
  set_table_gauges(status.tables);
}

void RunStatus::set_memory_gauges() const {
  const std::uint64_t resident = resident_bytes();
  const std::uint64_t budget = settings_.batch.memory_bytes;
  state_.metrics.gauge("re_dms_memory_budget_bytes").Set(static_cast<double>(budget));
  state_.metrics.gauge("re_dms_resident_memory_bytes").Set(static_cast<double>(resident));
  state_.metrics.gauge("re_dms_memory_used_ratio")
      .Set(static_cast<double>(resident) / static_cast<double>(budget));
}

void RunStatus::set_table_gauges(const TablesStatus& tables) const {
  const auto set = [this](GaugeName name, auto value) {
    state_.metrics.gauge(name).Set(static_cast<double>(value));
  };
  set("re_dms_tables_live", tables.live);
  set("re_dms_tables_not_live", tables.not_live.size());
  set("re_dms_tables_paused", tables.paused.size());
  set("re_dms_tables_removed", tables.removed.size());
  set("re_dms_tables_coming", tables.coming.size());
  set("re_dms_tables_left_out", tables.left_out.size());
  state_.metrics.raise("re_dms_tables_copied_anew_total",
                       static_cast<double>(state_.tables.doubts()));
  const CopiesStatus& copies = tables.copies;
  set("re_dms_tables_waiting", copies.waiting);
  set("re_dms_tables_copying", copies.copying);
  set("re_dms_tables_catching_up", copies.catching_up);
  set("re_dms_copy_rows", copies.rows);
  set("re_dms_copy_bytes", copies.bytes);
  set("re_dms_copy_estimated_bytes", copies.bytes_estimated);
  set("re_dms_copy_rows_per_second", copies.pace.rows_per_second.value_or(0));
  set("re_dms_copy_bytes_per_second", copies.pace.bytes_per_second.value_or(0));
  set("re_dms_copy_remaining_seconds",
      copies.since ? copies.pace.seconds_left.value_or(std::numeric_limits<double>::quiet_NaN())
                   : 0);
  set("re_dms_catch_up_journal_bytes", copies.journal_bytes_left);
}

}  // namespace re_dms
