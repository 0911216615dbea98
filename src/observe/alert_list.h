// When somebody has to be told, by the metrics of metric_list.h: Prometheus' rules, CloudWatch's
// alarms and the headings of docs/runbook.md are made from it.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "observe/metric_list.h"

namespace re_dms {

enum class AlertWhen {
  Above,   ///< a gauge stays above the threshold for `minutes`
  Below,   ///< a gauge stays below it for `minutes`
  Grows,   ///< a counter grew by more than the threshold within the last `minutes`
  Silent,  ///< a gauge is 0 or missing for `minutes`
  Old,     ///< a timestamp is older than the threshold, in seconds, for `minutes`
};

enum class Severity {
  Page,    ///< somebody has to look now
  Ticket,  ///< somebody has to look within a day
};

struct AlertDefinition {
  std::string_view name;
  std::string_view metric;
  AlertWhen when = AlertWhen::Above;
  double threshold = 0;
  int minutes = 5;
  Severity severity = Severity::Ticket;
  std::string_view summary;  ///< what is the matter, a sentence without its full stop
};

inline constexpr double kGiB = 1024.0 * 1024 * 1024;

inline constexpr auto kAlertList = std::to_array<AlertDefinition>({
    {"ReDmsNotRunning", "re_dms_up", AlertWhen::Silent, 1, 10, Severity::Page,
     "re_dms does not stream and load, or does not answer"},
    {"ReDmsBehind", "re_dms_lag_seconds", AlertWhen::Above, 900, 5, Severity::Page,
     "The warehouse is more than 15 minutes behind"},
    {"ReDmsSlotHoldsWal", "re_dms_slot_lag_bytes", AlertWhen::Above, 20 * kGiB, 10, Severity::Page,
     "The slot keeps more than 20 GiB of WAL on the source's disk"},
    {"ReDmsSlotInDanger", "re_dms_slot_wal_status", AlertWhen::Above, 1, 1, Severity::Page,
     "The slot can lose WAL at the next checkpoint, or has lost it"},
    {"ReDmsSlotShortOfWal", "re_dms_slot_safe_wal_bytes", AlertWhen::Below, 2 * kGiB, 5,
     Severity::Page, "Less than 2 GiB of WAL until max_slot_wal_keep_size takes the slot"},
    {"ReDmsSlotNotRead", "re_dms_slot_active", AlertWhen::Below, 1, 15, Severity::Page,
     "Nobody reads the slot"},
    {"ReDmsSlotUnknown", "re_dms_slot_seen_timestamp_seconds", AlertWhen::Old, 600, 5,
     Severity::Ticket, "The source has told nothing about the slot for 10 minutes"},
    {"ReDmsReadingPaused", "re_dms_reading_paused", AlertWhen::Above, 0, 5, Severity::Page,
     "Nothing is received: the journal or its disk is full, and WAL piles up in the source"},
    {"ReDmsJournalFilling", "re_dms_journal_used_ratio", AlertWhen::Above, 0.75, 5,
     Severity::Ticket, "The journal uses three quarters of journal.max_bytes"},
    {"ReDmsTableSetAside", "re_dms_tables_not_live", AlertWhen::Above, 0, 5, Severity::Ticket,
     "A table is set aside and waits for a decision"},
    {"ReDmsTableLeftOut", "re_dms_tables_left_out", AlertWhen::Above, 0, 60, Severity::Ticket,
     "A table that source.include matches is not replicated"},
    {"ReDmsHealingOften", "re_dms_tables_copied_anew_total", AlertWhen::Grows, 3, 60,
     Severity::Ticket, "Tables are copied anew again and again"},
    {"ReDmsValuesAdjusted", "re_dms_values_adjusted_total", AlertWhen::Grows, 0, 60,
     Severity::Ticket, "Values were changed because the target cannot hold them"},
    {"ReDmsRowsNotThere", "re_dms_rows_not_there_total", AlertWhen::Grows, 0, 60, Severity::Ticket,
     "Rows were changed or deleted that the target does not have"},
    {"ReDmsRetryingOften", "re_dms_retries_total", AlertWhen::Grows, 20, 30, Severity::Ticket,
     "Source, stage or warehouse fail again and again"},
    {"ReDmsMemoryHigh", "re_dms_memory_used_ratio", AlertWhen::Above, 2, 15, Severity::Ticket,
     "The process uses more than twice batch.memory"},
    {"ReDmsLogLost", "re_dms_log_lines_lost_total", AlertWhen::Grows, 0, 30, Severity::Ticket,
     "Nobody reads the log, and lines of it were lost"},
    {"ReDmsExportFailing", "re_dms_exports_failing", AlertWhen::Above, 0, 30, Severity::Ticket,
     "Metrics do not reach StatsD or CloudWatch"},
});

static_assert(std::ranges::all_of(kAlertList, [](const AlertDefinition& alert) {
  return std::ranges::any_of(kMetricList, [&](const MetricDefinition& metric) {
    return metric.name == alert.metric &&
           (alert.when == AlertWhen::Grows) == (metric.type == MetricType::Counter);
  });
}));

}  // namespace re_dms
