#include "app/run_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/status_pages.h"
#include "observe/log.h"

namespace re_dms {

namespace {

std::uint64_t count(const Metric& metric) {
  return static_cast<std::uint64_t>(metric.value());
}

/// What stands in the way, most serious first.
void describe_state(DaemonStatus& status, const RunState::View& view, bool journal_full,
                    const std::string& why_full) {
  if (view.stopping) {
    status.state = DaemonState::Stopping;
  } else if (!view.source_trouble.text.empty() && !journal_full) {
    // While the journal is full the source is left alone, whatever was the matter with it before.
    status.state = DaemonState::Reconnecting;
    status.reason = view.source_trouble.text;
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

void describe_tables(DaemonStatus& status, const RunState::View& view) {
  status.tables.live = view.live.size();
  for (const SetAside& table : view.not_live) {
    status.tables.not_live.push_back({to_string(table.table), table.reason});
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
  describe_state(status, view, state_.journal_full, why_full(settings_.journal, state_.disk_low));
  describe_tables(status, view);
  describe_trouble(status, view);
  status.log_lines_lost = log_lines_lost();
  set_gauges(status);
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
  gauge("re_dms_tables_left_out", "Tables that source.include matches and that are not replicated",
        static_cast<double>(status.tables.left_out.size()));
  state_.metrics
      .counter("re_dms_log_lines_lost_total",
               "Lines of the log that nobody read or that could not be written")
      .set(static_cast<double>(status.log_lines_lost));
}

}  // namespace re_dms
