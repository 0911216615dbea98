#include "telemetry/report_spool.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/thread.h"
#include "telemetry/crash_note.h"

namespace re_dms::report_spool_test {
namespace {

class ReportSpoolTest : public ::testing::Test {
 protected:
  ReportSpoolTest()
      : folder_(std::filesystem::temp_directory_path() / ("re_dms_spool." + random_hex())) {}

  ~ReportSpoolTest() override { std::filesystem::remove_all(folder_); }

  ReportSpool open(ReportLimits limits = {}) const {
    return {real_file_system(), folder_ / "rollbar", limits};
  }

  static ErrorReport report(const std::string& message, std::int64_t at,
                            const std::string& table = "public.t") {
    ErrorReport made = report_of(LogLevel::Error, "table_set_aside", message,
                                 {{"table", table}, {"position", "0/10"}}, SystemTime());
    made.at = at;
    return made;
  }

  std::filesystem::path folder_;
};

constexpr std::int64_t kNow = 1'800'000'000;

TEST_F(ReportSpoolTest, KeepsReportsAcrossRestarts) {
  open().add(report("first", kNow, "public.a"));
  open().add(report("second", kNow + 1, "public.b"));
  ReportSpool spool = open();
  const auto first = spool.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->table, "public.a");
  EXPECT_EQ(first->lsn, "0/10");
  EXPECT_EQ(first->message, "first");
  spool.done(*first);
  ReportSpool later = open();
  const auto second = later.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->table, "public.b");
  later.done(*second);
  EXPECT_FALSE(later.next());
}

TEST_F(ReportSpoolTest, ReportsWhatIsAlikeOnceAnHourAndCountsIt) {
  using Taken = ReportSpool::Taken;
  ReportSpool spool = open();
  EXPECT_EQ(spool.add(report("row 17 at 0/AB12 has 'x'", kNow)), Taken::New);
  EXPECT_EQ(spool.add(report("row 18 at 0/AB13 has 'y'", kNow + 10)), Taken::Alike);
  EXPECT_EQ(spool.add(report("row 19 at 0/AB14 has 'z'", kNow + 20)), Taken::Alike);
  // Another error, and the same of another table.
  EXPECT_EQ(spool.add(report("column 19 is gone", kNow + 20)), Taken::New);
  EXPECT_EQ(spool.add(report("row 19 at 0/AB14 has 'z'", kNow + 20, "public.u")), Taken::New);
  ReportSpool again = open();
  EXPECT_EQ(again.add(report("row 20 at 0/AB15 has 'z'", kNow + 30)), Taken::Alike)
      << "a restart forgets nothing";
  EXPECT_EQ(spool.add(report("row 21 at 0/AB16 has 'z'", kNow + 3600)), Taken::New);
  std::uint64_t most = 0;
  while (const auto next = spool.next()) {
    most = std::max(most, next->count);
    spool.done(*next);
  }
  EXPECT_EQ(most, 3U) << "the last one says that it stands for two more";
}

TEST_F(ReportSpoolTest, DropsBeyondItsBounds) {
  ReportLimits limits;
  limits.each_hour = 2;
  ReportSpool spool = open(limits);
  for (int i = 0; i < 5; ++i) {
    const auto taken = spool.add(report("x", kNow, "public.t" + std::string(1, char('a' + i))));
    EXPECT_EQ(taken == ReportSpool::Taken::New, i < 2) << i;
  }
  limits.each_hour = 100;
  limits.waiting = 3;
  ReportSpool small = open(limits);
  EXPECT_EQ(small.add(report("y", kNow, "public.a")), ReportSpool::Taken::New);
  EXPECT_EQ(small.add(report("y", kNow, "public.b")), ReportSpool::Taken::Dropped);
}

TEST_F(ReportSpoolTest, PassesOverAFileThatIsNoReport) {
  ReportSpool spool = open();
  replace_file(real_file_system(), folder_ / "rollbar" / "000000000001-x.report", "{torn");
  spool.add(report("whole", kNow));
  ASSERT_TRUE(spool.next());
  EXPECT_EQ(spool.next()->message, "whole");
}

TEST_F(ReportSpoolTest, ACrashNoteBecomesAReportOnce) {
  const std::string path = folder_ / "crash";
  std::filesystem::create_directories(folder_);
  replace_file(
      real_file_system(), path,
      "signal 11\nat 1800000000\nversion 0.1.0\n./re_dms(+0x1234)[0x55]\nlibc.so(+1)[0x66]\n");
  const auto crash = take_crash_note(real_file_system(), path);
  ASSERT_TRUE(crash);
  EXPECT_EQ(crash->level, "critical");
  EXPECT_NE(crash->message.find("signal 11"), std::string::npos);
  EXPECT_EQ(crash->version, "0.1.0");
  EXPECT_EQ(crash->at, kNow);
  EXPECT_NE(crash->stack.find("+0x1234"), std::string::npos);
  EXPECT_FALSE(take_crash_note(real_file_system(), path));
}

/// Ends by SIGSEGV, long before the number does.
// NOLINTNEXTLINE(misc-no-recursion)
std::size_t overflow(std::size_t depth) {
  volatile char block[4096];
  block[0] = static_cast<char>(depth);
  return depth == SIZE_MAX ? 0 : overflow(depth + 1) + static_cast<std::size_t>(block[0]);
}

TEST_F(ReportSpoolTest, AnOverflowOfTheStackIsNoted) {
  std::filesystem::create_directories(folder_);
  const auto crash = [&] {
    note_crashes(folder_ / "crash");
    overflow(0);
  };
  EXPECT_EXIT(crash(), ::testing::KilledBySignal(SIGSEGV), "");
  const auto note = take_crash_note(real_file_system(), folder_ / "crash");
  ASSERT_TRUE(note);
  EXPECT_NE(note->message.find("signal 11"), std::string::npos);
  EXPECT_FALSE(note->stack.empty());
}

TEST_F(ReportSpoolTest, SoIsThatOfAnotherThread) {
  std::filesystem::create_directories(folder_);
  const auto crash = [&] {
    note_crashes(folder_ / "crash");
    std::thread([] {
      begin_thread("deep");
      overflow(0);
    }).join();
  };
  EXPECT_EXIT(crash(), ::testing::KilledBySignal(SIGSEGV), "");
  EXPECT_TRUE(take_crash_note(real_file_system(), folder_ / "crash"));
}

TEST(ErrorReport, FindsTheSqlState) {
  EXPECT_EQ(sqlstate_of("reading the catalog: permission denied [42501]"), "42501");
  EXPECT_EQ(sqlstate_of("Redshift refused a statement: no (XX000)"), "XX000");
  EXPECT_EQ(sqlstate_of("see (ABCDE) and [12]"), "");
}

TEST(ErrorReport, SurvivesItsJson) {
  const ErrorReport made = report_of(LogLevel::Warn, "load_retry", "of a \"b\" [57P01]",
                                     {{"table", "public.t"}}, SystemTime());
  EXPECT_EQ(parse_report(to_json(made)), made);
  EXPECT_THROW(parse_report("{}"), Error);
}

}  // namespace
}  // namespace re_dms::report_spool_test
