#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "app/progress_log.h"
#include "app/run_status.h"
#include "app/status_pages.h"
#include "app/status_text.h"
#include "app/status_watch.h"
#include "base/error.h"
#include "base/testing/manual_clock.h"
#include "base/testing/waiting.h"
#include "observe/copies_text.h"
#include "observe/log.h"

namespace re_dms::copies_test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kGiB = 1U << 30;

SystemTime noon() {
  return std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + std::chrono::hours(12);
}

ComingTable table(std::string name, std::string state) {
  ComingTable one;
  one.table = std::move(name);
  one.state = std::move(state);
  return one;
}

TablesStatus sample() {
  TablesStatus tables;
  tables.copies = {noon(), 1, 3, 1, 2, 1'234'567, kGiB, 4 * kGiB, 120 * kMiB, {}};
  tables.copies.pace = {82'000.4, 25.0 * kMiB, 123.0};
  ComingTable big = table("public.big", "copying");
  big.rows = 1'200;
  big.rows_estimated = 5'000;
  big.reason = "it is new here";
  big.bytes = 299;
  big.bytes_estimated = 1'000;
  big.pace = {40.0, 2048.0, 9.0};
  ComingTable read = table("public.read", "copying");
  read.rows = 70;
  read.rows_estimated = 50;
  read.bytes = read.bytes_estimated = 8'192;
  ComingTable late = table("public.late", "catching up");
  late.rows = 9;
  late.bytes = late.bytes_estimated = 100;
  late.journal_bytes_left = 120 * kMiB;
  late.pace = {std::nullopt, 10.0 * kMiB, 12.0};
  ComingTable next = table("public.next", "waiting");
  next.bytes_estimated = kMiB;
  next.reason = "the source is away";
  tables.coming = {next, big, read, late, table("public.unknown", "copying")};
  return tables;
}

TEST(CopiesText, HasABarForEachTableAndOneForAll) {
  const std::string blank(28, ' ');
  EXPECT_EQ(
      copies_text(sample()),
      "\nOn their way: copied, and then followed like the live ones\n"
      "  all             [#####---------------]  25 %  1 waiting, 3 copying, 1 catching up, 2 "
      "live since 12:00:00 UTC\n"
      "                  " +
          blank +
          "  1 GiB of about 4 GiB (25 %), 120 MiB of the journal "
          "left, 25 MiB/s, 82,000 rows/s, about 2 min 3 s left\n"
          "  public.big      [#####---------------]  29 %  copying, 1,200 of about 5,000 rows, "
          "2 KiB/s, 40 rows/s, a few seconds left\n"
          "  public.read     [####################] 100 %  copying, 70 rows\n"
          "  public.late     " +
          blank +
          "  catching up, 120 MiB of the journal left, 10 MiB/s "
          "less, about 12 s left\n"
          "  public.unknown  " +
          blank +
          "  copying\n"
          "  public.next     " +
          blank + "  waiting, 1 MiB: the source is away\n");
}

TEST(CopiesText, IsEmptyWithoutTablesOnTheirWay) {
  EXPECT_EQ(copies_text({}), "");
  EXPECT_EQ(copies_line({}), "");
}

TEST(CopiesText, ShowsAsManyAsAPersonReads) {
  TablesStatus tables;
  for (int i = 0; i < 30; ++i) {
    tables.coming.push_back(table("t" + std::to_string(i), i < 29 ? "waiting" : "copying"));
  }
  const std::string text = copies_text(tables);
  EXPECT_THAT(text, HasSubstr("  t29  "));
  EXPECT_THAT(text, Not(HasSubstr("  t19  ")));
  EXPECT_THAT(text, HasSubstr("… and 10 more\n"));
}

TEST(CopiesText, AllIsNotSaidToBeDoneBeforeItIs) {
  CopiesStatus copies;
  copies.copying = 1;
  copies.bytes = 9'999;
  copies.bytes_estimated = 10'000;
  EXPECT_EQ(copies_line(copies), "1 copying; 9.8 KiB of about 9.8 KiB (99 %)");
}

DaemonStatus running() {
  DaemonStatus status;
  status.now = noon();
  status.state = DaemonState::Streaming;
  status.tables = sample();
  status.tables.live = 12;
  status.lag = {118U << 10, 4.2};
  return status;
}

TEST(StatusWatch, ALineSaysTheMostImportant) {
  EXPECT_EQ(
      watch_line(running()),
      "2026-01-31 12:00:00  streaming, 12 live; 1 waiting, 3 copying, 1 catching up, 2 live; 1 "
      "GiB of about 4 GiB (25 %), 120 MiB of the journal left, 25 MiB/s, 82,000 rows/s, about "
      "2 min 3 s left; 4.2 s behind, 118 KiB of WAL\n");
  DaemonStatus idle = running();
  idle.tables = {};
  idle.tables.not_live.emplace_back();
  idle.lag = {0, 0};
  EXPECT_EQ(watch_line(idle), "2026-01-31 12:00:00  streaming, 0 live, 1 set aside; up to date\n");
}

TEST(StatusWatch, APageIsCutToTheTerminal) {
  EXPECT_EQ(screen_text("größer\n\nlast\n", {4, 10}),
            "\033[Hgröß\033[K\n\033[K\nlast\033[K\n\033[J");
  EXPECT_EQ(screen_text("1\n2\n3\n4", {80, 3}), "\033[H1\033[K\n2\033[K\n\033[J");
}

TEST(StatusWatch, EndsWithTheDaemonAndSaysWhatWasSetAside) {
  DaemonStatus status = running();
  status.tables.not_live.emplace_back();
  Metrics metrics;
  std::atomic<int> asked{0};
  auto server = std::make_unique<HttpServer>(ListenAddress{"127.0.0.1", 0}, status_pages(
                                                                                [&] {
                                                                                  ++asked;
                                                                                  return status;
                                                                                },
                                                                                metrics));
  server->start();
  const ListenAddress address = server->address();
  std::ostringstream out;
  ExitCode code = ExitCode::Ok;
  {
    const std::jthread watching([&] {
      code = watch_status(address, {std::chrono::milliseconds(1), 2, [] { return std::nullopt; }},
                          out);
    });
    EXPECT_TRUE(eventually([&] { return asked > 3; }));
    server.reset();
  }
  EXPECT_EQ(code, ExitCode::SetAside);
  EXPECT_THAT(out.str(), ::testing::StartsWith(watch_line(status) + watch_line(status)));
  EXPECT_THAT(out.str(), ::testing::EndsWith("it has ended\n"));
  EXPECT_THROW(watch_status(address, {}, out), Error) << "it does not run to begin with";
}

class ProgressLogTest : public ::testing::Test {
 protected:
  /// What is logged within so many looks, a second apart.
  std::string logged(int looks) {
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < looks; ++i) {
      clock_.advance(seconds(1));
      log_.note(wave_, clock_.steady());
    }
    return ::testing::internal::GetCapturedStderr();
  }

  static std::size_t lines(const std::string& text, const std::string& with) {
    std::size_t count = 0;
    std::istringstream all(text);
    for (std::string line; std::getline(all, line);) {
      count += line.find(with) != std::string::npos ? 1 : 0;
    }
    return count;
  }

  ManualClock clock_;
  CopyWave wave_;
  ProgressLog log_;
};

TEST_F(ProgressLogTest, IsSilentWithoutCopies) {
  wave_.waiting = 3;
  EXPECT_EQ(logged(100), "");
}

TEST_F(ProgressLogTest, HasALineEveryTenSecondsAndOneAtTheEnd) {
  wave_.number = 1;
  wave_.ended = false;
  wave_.copying = 2;
  wave_.rows = 5'000;
  wave_.bytes = kMiB;
  wave_.bytes_estimated = 2 * kMiB;
  EXPECT_EQ(logged(10), "") << "it has only begun";
  const std::string text = logged(30);
  EXPECT_EQ(lines(text, "copy_progress"), 3U);
  EXPECT_EQ(lines(text, "2 copying; 1 MiB of about 2 MiB (50 %)"), 3U);
  wave_.ended = true;
  wave_.copying = 0;
  wave_.live = 2;
  const std::string end = logged(30);
  EXPECT_EQ(lines(end, ""), 1U);
  EXPECT_EQ(lines(end, "copies_done"), 1U);
  EXPECT_THAT(end, HasSubstr("rows=5000"));
  wave_.number = 2;
  wave_.live = 0;
  EXPECT_EQ(logged(30), "") << "none became live";
}

TEST_F(ProgressLogTest, IsSilentWhileTablesOnlyWait) {
  wave_.number = 1;
  wave_.ended = false;
  wave_.waiting = 1;
  EXPECT_EQ(logged(60), "");
}

TEST(CopiesStatus, OfAWaveThatEndedOnlyWhatStillWaitsIsSaid) {
  CopyWave wave;
  wave.number = 1;
  wave.ended = false;
  wave.began = noon();
  wave.waiting = 1;
  wave.live = 2;
  wave.bytes = 10;
  wave.bytes_estimated = 20;
  wave.pace = {1.0, 2.0, 5.0};
  CopiesStatus copies = copies_status(wave);
  EXPECT_EQ(copies.since, noon());
  EXPECT_EQ(copies.live, 2U);
  EXPECT_EQ(copies.pace.seconds_left, 5.0);
  wave.ended = true;
  copies = copies_status(wave);
  EXPECT_EQ(copies.since, std::nullopt);
  EXPECT_EQ(copies.waiting, 1U);
  EXPECT_EQ(copies.live + copies.bytes + copies.bytes_estimated, 0U);
  EXPECT_EQ(copies.pace.seconds_left, std::nullopt);
}

}  // namespace
}  // namespace re_dms::copies_test
