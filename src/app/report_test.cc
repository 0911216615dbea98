#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <sstream>

#include "app/check_report.h"
#include "app/journal_check.h"
#include "app/status_pages.h"
#include "app/status_text.h"
#include "base/error.h"
#include "observe/http_fetch.h"

namespace re_dms::report_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Status = CheckResult::Status;

SystemTime at(std::int64_t seconds) {
  return SystemTime(std::chrono::seconds(seconds));
}

TEST(CheckReport, AlignsFindingsAndPutsTheFixBelow) {
  std::ostringstream out;
  EXPECT_EQ(print_checks({{Status::Ok, "wal_level", "logical", ""},
                          {Status::Warn, "journal: room", "12 GiB free", "free some"},
                          {Status::Fail, "slot", "held by pid 4711", "stop that process"}},
                         out),
            ExitCode::Failed);
  EXPECT_EQ(out.str(),
            "ok    wal_level      logical\n"
            "warn  journal: room  12 GiB free\n"
            "                     -> free some\n"
            "fail  slot           held by pid 4711\n"
            "                     -> stop that process\n"
            "\n3 checks: 1 ok, 1 warning, 1 failure\n");
}

TEST(CheckReport, WarningsAreNoFailure) {
  std::ostringstream out;
  EXPECT_EQ(print_checks({{Status::Warn, "a", "b", "c"}}, out), ExitCode::Ok);
  EXPECT_THAT(out.str(), HasSubstr("1 check: 0 ok, 1 warning, 0 failures"));
}

class JournalCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "re_dms_journal_check.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<CheckResult> check(const std::filesystem::path& directory) {
    JournalLimits limits;
    limits.directory = directory;
    limits.max_bytes = 1024;
    limits.reserve_bytes = 1024;
    return check_journal_directory(limits);
  }

  std::filesystem::path folder_;
};

TEST_F(JournalCheck, ADirectoryThatIsNotThereIsFineAndStaysAway) {
  const auto results = check(folder_ / "a" / "b");
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].status, Status::Ok);
  EXPECT_THAT(results[0].finding, HasSubstr("will be created"));
  EXPECT_EQ(results[2].status, Status::Ok);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(JournalCheck, ADirectoryIsProbedAndLeftAsItWas) {
  const auto results = check(folder_);
  EXPECT_EQ(results.at(0).status, Status::Ok);
  EXPECT_EQ(results.at(0).finding, folder_.string());
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(JournalCheck, WhatCannotBeWrittenFailsWithAFix) {
  for (const char* place : {"/proc/re_dms", "/dev/null/re_dms", "/dev/null"}) {
    const auto results = check(place);
    EXPECT_EQ(results.at(0).status, Status::Fail) << place;
    EXPECT_NE(results.at(0).fix, "");
  }
}

TEST(JournalCheckJudgement, MemoryFailsAndWhatMayVanishWarns) {
  EXPECT_EQ(judge_file_system(0x01021994).status, Status::Fail);
  EXPECT_EQ(judge_file_system(0x794C7630).status, Status::Warn);
  EXPECT_EQ(judge_file_system(0x6969).status, Status::Warn);
  EXPECT_EQ(judge_file_system(0xFFFFFFFFFF534D42).status, Status::Warn) << "f_type is signed";
  EXPECT_EQ(judge_file_system(0xEF53).status, Status::Ok);
}

TEST(JournalCheckJudgement, TheBoundAndTheReserveMustFit) {
  JournalLimits limits;
  limits.max_bytes = 80;
  limits.reserve_bytes = 20;
  EXPECT_EQ(judge_space(limits, {100, 100}, 0).status, Status::Ok);
  EXPECT_EQ(judge_space(limits, {100, 60}, 40).status, Status::Ok) << "what it holds counts";
  EXPECT_EQ(judge_space(limits, {100, 60}, 39).status, Status::Warn);
  EXPECT_EQ(judge_space(limits, {99, 99}, 0).status, Status::Fail);
}

DaemonStatus sample() {
  DaemonStatus status;
  status.version = "0.1.0";
  status.uptime_seconds = 11'530;
  status.now = at(1'000);
  status.state = DaemonState::Streaming;
  status.source = {true, "16/B374D848", "16/B374D800", "16/B374D000", 1'234'567};
  status.journal = {1'288'490'189, 50ULL << 30};
  status.batch = {3ULL << 20, 12'345, "16/B3740000"};
  status.warehouse = {"DuckDB 1.4.4 at w.duckdb", "16/B3730000", 1'200'000, 123,
                      LastLoad{12'345, 0.8, at(996)}};
  status.lag = {118ULL << 10, 4.2};
  status.tables.live = 12;
  return status;
}

TEST(StatusText, IsABlockAPersonCanRead) {
  EXPECT_EQ(to_text(sample()),
            "re_dms 0.1.0, streaming, up 3 h 12 min\n"
            "\n"
            "  source     16/B374D848        end of WAL, connected\n"
            "  received   16/B374D800        1,234,567 row changes\n"
            "  journaled  16/B374D000        safe here\n"
            "  staged     16/B3740000        next batch: 12,345 row changes, 3 MiB of memory\n"
            "  loaded     16/B3730000        4.2 s behind, 118 KiB of WAL\n"
            "\n"
            "  journal    1.2 GiB of 50 GiB (2 %)\n"
            "  warehouse  DuckDB 1.4.4 at w.duckdb\n"
            "  loads      123 batches, 1,200,000 rows\n"
            "  last load  12,345 rows in 800 ms, 4.0 s ago\n"
            "  tables     12 live\n");
}

TEST(StatusText, ListsTroubleWithItsReasons) {
  DaemonStatus status = sample();
  status.state = DaemonState::Paused;
  status.reason = "journal full";
  status.tables.not_live = {{"public.orders", "a value does not fit"}};
  status.tables.left_out = {{"public.log", "no replica identity"}, {"public.a", "a view"}};
  status.tables.not_copied = {{"public.events", "never"}};
  status.last_error = LastError{"connection lost", at(940)};
  const std::string text = to_text(status);
  EXPECT_THAT(text, HasSubstr("paused: journal full, up"));
  EXPECT_THAT(text, HasSubstr("\n\nNot copied: followed, with rows from before only where somebody "
                              "put them in the target:\n  public.events  never\n"));
  EXPECT_THAT(text, HasSubstr("12 live, 1 set aside, 2 left out\n"));
  EXPECT_THAT(text, HasSubstr("\n  public.orders  a value does not fit\n"));
  EXPECT_THAT(text, HasSubstr("\n  public.log  no replica identity\n  public.a    a view\n"));
  EXPECT_THAT(text, HasSubstr("Last error, 1 min 0 s ago:\n  connection lost\n"));
}

TEST(StatusText, SaysSoWhenNothingIsKnownYet) {
  const std::string text = to_text(DaemonStatus{});
  EXPECT_THAT(text, HasSubstr("starting"));
  EXPECT_THAT(text, HasSubstr("NOT connected"));
  EXPECT_THAT(text, Not(HasSubstr("last load")));
}

TEST(FillProgress, TheLagIsWhatTheTargetDoesNotHold) {
  Progress progress;
  DaemonStatus status;
  fill_progress(status, progress, at(100));
  EXPECT_EQ(status.lag.bytes, 0U);
  EXPECT_EQ(status.lag.seconds, std::nullopt);
  EXPECT_EQ(status.warehouse.loaded_lsn, "");

  progress.server.advance(Lsn{1000});
  progress.received.advance(Lsn{900});
  progress.journaled.advance(Lsn{800});
  progress.staged.advance(Lsn{700});
  progress.loaded.advance(Lsn{600});
  progress.committed.advance(Lsn{900});
  progress.loaded_commit_time = 90'000'000;
  fill_progress(status, progress, at(100));
  EXPECT_EQ(status.source.server_lsn, "0/3E8");
  EXPECT_EQ(status.source.received_lsn, "0/384");
  EXPECT_EQ(status.source.journaled_lsn, "0/320");
  EXPECT_EQ(status.batch.staged_lsn, "0/2BC");
  EXPECT_EQ(status.warehouse.loaded_lsn, "0/258");
  EXPECT_EQ(status.lag.bytes, 400U);
  EXPECT_EQ(status.lag.seconds, 10.0);
}

TEST(FillProgress, ALoadIsAsLateAsItsFirstCommit) {
  Progress progress;
  DaemonStatus status;
  progress.received.advance(Lsn{900});
  progress.loading_commit_time = 95'000'000;
  fill_progress(status, progress, at(100));
  EXPECT_EQ(status.lag.seconds, 5.0) << "the first load of a run";
  progress.loaded.advance(Lsn{600});
  progress.loaded_commit_time = 10'000'000;
  fill_progress(status, progress, at(100));
  EXPECT_EQ(status.lag.seconds, 5.0) << "nothing was committed for a long time before";
}

TEST(FillProgress, ATargetThatHoldsTheLastCommitIsUpToDate) {
  Progress progress;
  DaemonStatus status;
  progress.received.advance(Lsn{900});
  progress.loaded.advance(Lsn{600});
  progress.committed.advance(Lsn{600});
  fill_progress(status, progress, at(5'000));
  EXPECT_EQ(status.lag.seconds, 0.0) << "all that the journal had at the start is loaded";
  progress.loaded_commit_time = 90'000'000;
  fill_progress(status, progress, at(5'000));
  EXPECT_EQ(status.lag.seconds, 0.0) << "only idle WAL is not loaded";
  progress.committed.advance(Lsn{700});
  fill_progress(status, progress, at(50));
  EXPECT_EQ(status.lag.seconds, 0.0) << "the server's clock is ahead of ours";
  progress.loaded.advance(Lsn{900});
  fill_progress(status, progress, at(5'000));
  EXPECT_EQ(status.lag.seconds, 0.0);
}

class StatusPages : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  ListenAddress address() const { return server_.address(); }

  Metrics metrics_;
  DaemonStatus status_ = sample();
  HttpServer server_{ListenAddress{"127.0.0.1", 0},
                     status_pages([this] { return status_; }, metrics_)};
};

TEST_F(StatusPages, StatusIsShownAsTextAndAsJson) {
  std::ostringstream text;
  EXPECT_EQ(show_status(address(), false, text), ExitCode::Ok);
  EXPECT_EQ(text.str(), to_text(sample()));
  std::ostringstream json;
  EXPECT_EQ(show_status(address(), true, json), ExitCode::Ok);
  EXPECT_EQ(json.str(), to_json(sample()));
}

TEST_F(StatusPages, TablesSetAsideAreAnExitCodeOfTheirOwn) {
  status_.tables.not_live = {{"public.orders", "because"}};
  std::ostringstream out;
  EXPECT_EQ(show_status(address(), false, out), ExitCode::SetAside);
}

TEST_F(StatusPages, EveryPageAnswers) {
  metrics_.gauge("re_dms_up").Set(1);
  const auto answer = [this](const std::string& path) {
    const HttpAnswer got =
        http_fetch("http://" + to_string(address()) + path, std::chrono::seconds(5));
    return std::to_string(got.status) + " " + got.body;
  };
  EXPECT_EQ(answer("/"), "200 " + to_text(sample()));
  EXPECT_EQ(status_pages([this] { return status_; }, metrics_).at(0).answer().refresh_seconds, 2U);
  EXPECT_EQ(answer("/healthz"), "200 ok\n");
  EXPECT_THAT(answer("/metrics"), HasSubstr("\nre_dms_up 1\n"));
  EXPECT_EQ(answer("/readyz"), "200 streaming\n");
  status_.state = DaemonState::WarehouseAway;
  status_.reason = "a reader holds the file (pid 4711)";
  EXPECT_EQ(answer("/readyz"), "503 warehouse away: a reader holds the file (pid 4711)\n");
}

TEST(ShowStatus, SaysWhenNothingRuns) {
  ListenAddress address{"127.0.0.1", 0};
  {
    HttpServer server(address, {});
    server.start();
    address = server.address();
  }
  std::ostringstream out;
  try {
    show_status(address, false, out);
    FAIL() << "nothing runs there";
  } catch (const Error& error) {
    EXPECT_EQ(exit_code_of(error), ExitCode::Failed);
    EXPECT_THAT(error.what(), HasSubstr("re_dms is not running"));
    EXPECT_THAT(error.what(), HasSubstr("re_dms run"));
  }
  EXPECT_THROW(show_status(std::nullopt, false, out), Error);
}

TEST(ShowStatus, RefusesTheAnswerOfAnotherProgram) {
  HttpServer server(ListenAddress{"127.0.0.1", 0}, {});
  server.start();
  std::ostringstream out;
  EXPECT_THROW(show_status(server.address(), false, out), Error);
}

}  // namespace
}  // namespace re_dms::report_test
