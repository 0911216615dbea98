#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "observe/log.h"
#include "observe/metrics.h"

namespace re_dms::observe_test {
namespace {

TEST(Metrics, AreWrittenSortedInPrometheusFormat) {
  Metrics metrics;
  metrics.gauge("re_dms_b_bytes", "bytes of b").set(2.5);
  metrics.counter("re_dms_a_total", "how many a").add(3);
  metrics.counter("re_dms_a_total", "how many a").add();
  EXPECT_EQ(metrics.to_prometheus(),
            "# HELP re_dms_a_total how many a\n# TYPE re_dms_a_total counter\nre_dms_a_total 4\n"
            "# HELP re_dms_b_bytes bytes of b\n# TYPE re_dms_b_bytes gauge\nre_dms_b_bytes 2.5\n");
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
