// Every metric of the daemon, defined once: what /metrics, StatsD and CloudWatch show, and what
// docs/metrics.md, alert rules and dashboards are made from (monitoring/generate.py). Names are
// kept: alerts of users rely on them.
#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string_view>

namespace re_dms {

enum class MetricType { Counter, Gauge, Histogram };

/// What the value counts; it says which buckets a histogram has, too.
enum class MetricUnit { Count, Bytes, Seconds, Timestamp, Position, Ratio, Flag };

struct MetricDefinition {
  std::string_view name;  ///< re_dms_…; the unit last, counters in _total
  MetricType type = MetricType::Gauge;
  MetricUnit unit = MetricUnit::Count;
  std::string_view help;     ///< a sentence without its full stop
  std::string_view label{};  ///< the one label it has; empty: none
};

inline constexpr MetricType kCounter = MetricType::Counter;
inline constexpr MetricType kGauge = MetricType::Gauge;
inline constexpr MetricType kHistogram = MetricType::Histogram;

inline constexpr auto kMetricList = std::to_array<MetricDefinition>({
    // The daemon.
    {"re_dms_up", kGauge, MetricUnit::Flag, "1 while streaming and loading"},
    {"re_dms_state", kGauge, MetricUnit::Flag, "1 for the present state, 0 for the others",
     "state"},
    {"re_dms_build_info", kGauge, MetricUnit::Flag, "Always 1; the label is what runs", "version"},
    {"re_dms_start_time_seconds", kGauge, MetricUnit::Timestamp,
     "When the process started, in seconds since 1970"},
    {"re_dms_log_lines_lost_total", kCounter, MetricUnit::Count,
     "Lines of the log that nobody read or that could not be written"},
    {"re_dms_retries_total", kCounter, MetricUnit::Count,
     "Tries that failed and were begun again, by what they reached for", "of"},
    {"re_dms_exports_total", kCounter, MetricUnit::Count,
     "Metrics pushed to StatsD or CloudWatch, one for each round that arrived", "to"},
    {"re_dms_exports_failed_total", kCounter, MetricUnit::Count,
     "Rounds of metrics that could not be pushed", "to"},
    {"re_dms_exports_failing", kGauge, MetricUnit::Flag,
     "1 after a round of metrics that could not be pushed, until one arrives", "to"},
    {"re_dms_error_reports_total", kCounter, MetricUnit::Count,
     "Error reports, by what became of them: sent, dropped or refused", "outcome"},
    // How far the target is behind.
    {"re_dms_lag_bytes", kGauge, MetricUnit::Bytes, "WAL between the server's end and the target"},
    {"re_dms_lag_seconds", kGauge, MetricUnit::Seconds,
     "Age of the first commit that is being loaded, else of the last one in the target; 0 when it "
     "holds everything received and the source answers, else at least how long the source has been "
     "away"},
    {"re_dms_commit_to_visible_seconds", kHistogram, MetricUnit::Seconds,
     "From the oldest commit of a batch in the source until the batch is visible in the target"},
    {"re_dms_server_lsn", kGauge, MetricUnit::Position, "End of the server's WAL"},
    {"re_dms_received_lsn", kGauge, MetricUnit::Position, "Position received"},
    {"re_dms_journaled_lsn", kGauge, MetricUnit::Position, "Position durable in the journal"},
    {"re_dms_staged_lsn", kGauge, MetricUnit::Position, "Position in complete staged batches"},
    {"re_dms_loaded_lsn", kGauge, MetricUnit::Position, "Position in the target"},
    // The slot, as the server shows it.
    {"re_dms_slot_lag_bytes", kGauge, MetricUnit::Bytes, "WAL that the server keeps for the slot"},
    {"re_dms_slot_unconfirmed_bytes", kGauge, MetricUnit::Bytes,
     "WAL between the slot's confirmed position and the server's end"},
    {"re_dms_slot_lag_seconds", kGauge, MetricUnit::Seconds,
     "How long the oldest WAL that the slot has not confirmed has been there, as re_dms saw it"},
    {"re_dms_slot_active", kGauge, MetricUnit::Flag, "1 while somebody reads the slot"},
    {"re_dms_slot_wal_status", kGauge, MetricUnit::Count,
     "wal_status of the slot: 0 reserved, 1 extended, 2 unreserved, 3 lost or gone"},
    {"re_dms_slot_safe_wal_bytes", kGauge, MetricUnit::Bytes,
     "safe_wal_size: WAL that may still be written before the slot can be lost; absent without "
     "max_slot_wal_keep_size"},
    {"re_dms_slot_spilled_bytes", kGauge, MetricUnit::Bytes,
     "Of large transactions, what the server wrote to its disk while decoding for the slot"},
    {"re_dms_slot_seen_timestamp_seconds", kGauge, MetricUnit::Timestamp,
     "When the server last told about the slot, in seconds since 1970"},
    // Source and journal.
    {"re_dms_messages_journaled_total", kCounter, MetricUnit::Count,
     "Replication messages written to the journal"},
    {"re_dms_rows_received_total", kCounter, MetricUnit::Count,
     "Row changes written to the journal; those that are sent again count again"},
    {"re_dms_received_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes written to the journal, its own framing included"},
    {"re_dms_journal_syncs_total", kCounter, MetricUnit::Count, "Group fsyncs of the journal"},
    {"re_dms_journal_bytes", kGauge, MetricUnit::Bytes, "Size of the journal"},
    {"re_dms_journal_max_bytes", kGauge, MetricUnit::Bytes, "journal.max_bytes"},
    {"re_dms_journal_used_ratio", kGauge, MetricUnit::Ratio,
     "Size of the journal as a share of journal.max_bytes"},
    {"re_dms_journal_oldest_seconds", kGauge, MetricUnit::Seconds,
     "Age of the journal's oldest segment; since the start for one from before it"},
    {"re_dms_reading_paused", kGauge, MetricUnit::Flag,
     "1 while nothing is received because the journal or its disk is full"},
    // Batches.
    {"re_dms_fold_memory_bytes", kGauge, MetricUnit::Bytes, "Memory of the batch being filled"},
    {"re_dms_fold_rows", kGauge, MetricUnit::Count, "Row changes in the batch being filled"},
    {"re_dms_fold_age_seconds", kGauge, MetricUnit::Seconds,
     "How long the batch being filled has held changes; 0 while it holds none"},
    {"re_dms_rows_folded_away_total", kCounter, MetricUnit::Count,
     "Row changes of loaded batches that folding made unnecessary"},
    {"re_dms_batch_changes", kHistogram, MetricUnit::Count,
     "Row changes of a batch of the stream, before folding"},
    {"re_dms_batch_step_seconds", kHistogram, MetricUnit::Seconds,
     "How long a batch of the stream took in a step: stage (its last files), wait (for its turn), "
     "load (into the target, retries included)",
     "step"},
    {"re_dms_rows_staged_total", kCounter, MetricUnit::Count,
     "Net rows written to staged files, by what they are for", "kind"},
    {"re_dms_staged_csv_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes of staged files before compression, by what they are for", "kind"},
    {"re_dms_uploaded_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes of staged files written to the stage, by what they are for", "kind"},
    {"re_dms_staged_files_total", kCounter, MetricUnit::Count,
     "Staged files written, by what they are for", "kind"},
    // Loads.
    {"re_dms_batches_loaded_total", kCounter, MetricUnit::Count, "Batches committed in the target"},
    {"re_dms_rows_loaded_total", kCounter, MetricUnit::Count, "Net rows applied to the target"},
    {"re_dms_staged_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes of loaded staged files, as they lie in the stage"},
    {"re_dms_rows_not_there_total", kCounter, MetricUnit::Count,
     "Rows changed or deleted that tables without an initial copy did not have"},
    {"re_dms_values_adjusted_total", kCounter, MetricUnit::Count,
     "Values that were changed because the target cannot hold them"},
    {"re_dms_last_load_seconds", kGauge, MetricUnit::Seconds, "Duration of the last load"},
    {"re_dms_statement_seconds", kHistogram, MetricUnit::Seconds,
     "Statements in the target by kind: copy (reads staged files), merge (changes tables), commit, "
     "lock (waits for one), other",
     "kind"},
    // Each table; observe.table_metrics bounds how many have series of their own.
    {"re_dms_table_changes_total", kCounter, MetricUnit::Count,
     "Row changes of loaded batches, before folding", "table"},
    {"re_dms_table_rows_loaded_total", kCounter, MetricUnit::Count,
     "Net rows of loaded batches, copied rows included", "table"},
    {"re_dms_table_staged_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes of loaded staged files, as they lie in the stage", "table"},
    {"re_dms_table_csv_bytes_total", kCounter, MetricUnit::Bytes,
     "Bytes of loaded staged files before compression", "table"},
    {"re_dms_table_values_adjusted_total", kCounter, MetricUnit::Count,
     "Values that were changed because the target cannot hold them", "table"},
    // States of tables.
    {"re_dms_tables_live", kGauge, MetricUnit::Count, "Tables replicated"},
    {"re_dms_tables_not_live", kGauge, MetricUnit::Count, "Tables set aside"},
    {"re_dms_tables_paused", kGauge, MetricUnit::Count, "Tables that somebody paused"},
    {"re_dms_tables_removed", kGauge, MetricUnit::Count, "Tables that the source has no longer"},
    {"re_dms_tables_left_out", kGauge, MetricUnit::Count,
     "Tables that source.include matches and that are not replicated"},
    {"re_dms_tables_coming", kGauge, MetricUnit::Count,
     "Tables that wait for a copy, are copied or catch up"},
    {"re_dms_tables_waiting", kGauge, MetricUnit::Count, "Tables that wait for a copy"},
    {"re_dms_tables_copying", kGauge, MetricUnit::Count, "Tables that are copied"},
    {"re_dms_tables_catching_up", kGauge, MetricUnit::Count,
     "Tables that have a copy and catch up"},
    {"re_dms_tables_copied_anew_total", kCounter, MetricUnit::Count,
     "Copies of tables that were live, for what the stream could not tell"},
    {"re_dms_heals_total", kCounter, MetricUnit::Count,
     "Tables that left the live ones to be copied anew, by cause: schema, publication, rows, "
     "target, other",
     "cause"},
    // Copies.
    {"re_dms_copy_rows", kGauge, MetricUnit::Count, "Rows copied of the tables on their way"},
    {"re_dms_copy_bytes", kGauge, MetricUnit::Bytes,
     "Bytes copied of the tables on their way, as their files have them"},
    {"re_dms_copy_estimated_bytes", kGauge, MetricUnit::Bytes, "Bytes of the tables on their way"},
    {"re_dms_copy_rows_per_second", kGauge, MetricUnit::Count,
     "Rows copied, over the last 30 seconds"},
    {"re_dms_copy_bytes_per_second", kGauge, MetricUnit::Bytes,
     "Bytes copied, over the last 30 seconds"},
    {"re_dms_copy_remaining_seconds", kGauge, MetricUnit::Seconds,
     "How long copies still take; 0 without one, NaN while it is too early to tell"},
    {"re_dms_catch_up_journal_bytes", kGauge, MetricUnit::Bytes,
     "Bytes of the journal that catching up has still to read"},
    // Memory.
    {"re_dms_memory_budget_bytes", kGauge, MetricUnit::Bytes, "batch.memory"},
    {"re_dms_resident_memory_bytes", kGauge, MetricUnit::Bytes,
     "Memory of the whole process that lies in RAM"},
    {"re_dms_memory_used_ratio", kGauge, MetricUnit::Ratio,
     "Memory of the process as a share of batch.memory; what lies outside the budget (code, "
     "connections, reading buffers) counts too"},
});

/// A name of the list, checked when the program is compiled.
template <MetricType Type>
struct MetricName {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is a name
  consteval MetricName(const char* name) : index(find(name)) {}

  std::size_t index;

 private:
  static consteval std::size_t find(std::string_view name) {
    for (std::size_t i = 0; i < kMetricList.size(); ++i) {
      if (kMetricList[i].name == name && kMetricList[i].type == Type) {
        return i;
      }
    }
    throw std::logic_error("no metric of this name and type is in the list");
  }
};

using CounterName = MetricName<MetricType::Counter>;
using GaugeName = MetricName<MetricType::Gauge>;
using HistogramName = MetricName<MetricType::Histogram>;

}  // namespace re_dms
