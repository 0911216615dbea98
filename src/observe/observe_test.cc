#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "observe/log.h"
#include "observe/metrics.h"

namespace re_dms::observe_test {
namespace {

TEST(Metrics, AreWrittenSortedInPrometheusFormat) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(2.5);
  metrics.counter("re_dms_batches_loaded_total").Increment(3);
  metrics.counter("re_dms_batches_loaded_total").Increment();
  metrics.counter("re_dms_retries_total", "stage").Increment();
  EXPECT_EQ(metrics.to_prometheus(),
            "# HELP re_dms_batches_loaded_total Batches committed in the target\n"
            "# TYPE re_dms_batches_loaded_total counter\nre_dms_batches_loaded_total 4\n"
            "# HELP re_dms_lag_bytes WAL between the server's end and the target\n"
            "# TYPE re_dms_lag_bytes gauge\nre_dms_lag_bytes 2.5\n"
            "# HELP re_dms_retries_total Tries that failed and were begun again, by what they "
            "reached for\n"
            "# TYPE re_dms_retries_total counter\nre_dms_retries_total{of=\"stage\"} 1\n");
}

TEST(Metrics, TablesBeyondTheBoundShareASeries) {
  Metrics metrics;
  metrics.set_table_bound(2);
  EXPECT_EQ(metrics.table_label("public.a"), "public.a");
  EXPECT_EQ(metrics.table_label("public.b"), "public.b");
  EXPECT_EQ(metrics.table_label("public.c"), "(other)");
  EXPECT_EQ(metrics.table_label("public.a"), "public.a");
}

TEST(Metrics, TotalsOfOthersOnlyGrow) {
  Metrics metrics;
  metrics.raise("re_dms_log_lines_lost_total", 5);
  metrics.raise("re_dms_log_lines_lost_total", 3);
  metrics.raise("re_dms_log_lines_lost_total", 7);
  EXPECT_EQ(metrics.counter("re_dms_log_lines_lost_total").Value(), 7);
}

TEST(Log, JsonLinesKeepNumbersAndQuoteText) {
  configure_log(LogFormat::Json, LogLevel::Info);
  ::testing::internal::CaptureStderr();
  log(LogLevel::Debug, "hidden", "not shown");
  log(LogLevel::Warn, "slot_busy", "the slot is \"taken\"", {{"pid", 42}, {"slot", "re dms"}});
  const auto line = nlohmann::json::parse(::testing::internal::GetCapturedStderr());
  configure_log(LogFormat::Text, LogLevel::Info);
  EXPECT_EQ(line["event"], "slot_busy");
  EXPECT_EQ(line["pid"], 42);
  EXPECT_EQ(line["slot"], "re dms");
  EXPECT_EQ(line["message"], "the slot is \"taken\"");
}

}  // namespace
}  // namespace re_dms::observe_test
