// The receive loop against a real PostgreSQL, when it may not or cannot go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "source/testing/error_of.h"
#include "source/testing/stream_test.h"

namespace re_dms::held_up_pg_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// Feedback well within the server's wal_sender_timeout.
const ReadTimes kOftenHeard = [] {
  ReadTimes times;
  times.feedback.silence = milliseconds(500);
  return times;
}();

/// A question of the stream's plain connection while a commit waits for a synchronous standby.
constexpr const char* kCatalogWaits =
    "SELECT count(*) > 0 AND (SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = "
    "'SyncRep')"
    " FROM pg_stat_activity WHERE query LIKE '%pg_visible_in_snapshot%' AND pid <> "
    "pg_backend_pid()";

// The stream has told the server something after it had lasted this long.
constexpr const char* kHeardOfLater =
    "SELECT reply_time - backend_start > interval '2.5 s' FROM pg_stat_replication";

class HeldUp : public StreamTest {
 protected:
  /// Commits wait for this standby from now on; for none when empty.
  static void wait_for_standby(const std::string& name) {
    postgres_->execute("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
    postgres_->execute("SELECT pg_reload_conf()");
    ASSERT_TRUE(postgres_->becomes("SHOW synchronous_standby_names", name));
    // Whether commits wait is decided by the checkpointer, which has read the setting after this.
    postgres_->execute("CHECKPOINT");
  }
};

TEST_F(HeldUp, PausesBetweenTransactionsAndStaysConnected) {
  const auto stream = start(false, kOftenHeard);
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("I [1|a]"));
  stream->pause(true);
  const auto before = stream->records().size();
  // Longer than wal_sender_timeout: feedback alone keeps the connection.
  std::string rows;
  for (int i = 2; i < 300; ++i) {
    rows += "INSERT INTO t VALUES (" + std::to_string(i) + ", repeat('y', 5000)); COMMIT; BEGIN;";
  }
  postgres_->execute("BEGIN; " + rows + " COMMIT");
  const auto paused_at = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() - paused_at > seconds(6); },
                         seconds(10)));
  EXPECT_TRUE(stream->running());
  // One transaction may have been on its way when the pause began.
  EXPECT_LE(stream->records().size(), before + 4);
  stream->pause(false);
  EXPECT_TRUE(stream->saw("I [299|5000 bytes]"));
}

TEST_F(HeldUp, NoticesWhilePausedThatTheServerEndedTheStream) {
  ReadTimes times;
  // Nothing is sent that could find the connection lost.
  times.feedback.silence = std::chrono::minutes(10);
  const auto stream = start(false, times);
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("C"));
  stream->pause(true);
  postgres_->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
}

TEST_F(HeldUp, KeepsTheConnectionWhileTheQueueIsFull) {
  const auto stream = start(false, kOftenHeard);
  stream->hold(true);
  postgres_->execute("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g");
  const auto held_at = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() - held_at > seconds(6); },
                         seconds(10)));
  EXPECT_TRUE(stream->running());
  stream->hold(false);
  EXPECT_TRUE(stream->saw("C"));
}

TEST_F(HeldUp, LeavesTheSlotWhenNothingCanBeConfirmed) {
  ReadTimes times;
  times.watch.stuck = milliseconds(300);
  const auto stream = start(false, times);
  ASSERT_TRUE(eventually([&] { return stream->started(); }));
  stream->pause(true);
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
  EXPECT_TRUE(postgres_->becomes("SELECT count(*) FROM pg_stat_replication", "0"));
}

TEST_F(HeldUp, LeavesTheSlotWhenTheJournalStandsStill) {
  ReadTimes times;
  times.watch.stuck = seconds(1);
  times.feedback.silence = milliseconds(200);
  const auto stream = start(false, times);
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("I [1|a]"));
  // Nothing is under way: time alone does not count.
  EXPECT_TRUE(postgres_->becomes(kHeardOfLater, "t"));
  stream->hold(true);
  // Far less than the queue takes: reading goes on.
  postgres_->execute("INSERT INTO t VALUES (2, 'b')");
  const std::optional<Error> error = stream->ended(seconds(20));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
  EXPECT_THAT(error->message(), HasSubstr("nothing could be confirmed"));
}

TEST_F(HeldUp, LeavesWhenCommitsComeToWaitForIt) {
  ReadTimes times;
  times.watch.call = milliseconds(100);
  const auto stream = start(false, times);
  ASSERT_TRUE(eventually([&] { return stream->started(); }));
  wait_for_standby("FIRST 1 (nobody, re_dms)");
  const std::optional<Error> error = stream->ended(seconds(10));
  wait_for_standby("");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
  EXPECT_THAT(error->message(), HasSubstr("commits wait for re_dms"));
}

TEST_F(HeldUp, LeavesAServerThatDoesNotAnswer) {
  ReadTimes times;
  times.silence = {.ask = milliseconds(200), .answer = seconds(5)};
  const auto stream = start(false, times);
  ASSERT_TRUE(eventually([&] { return stream->started(); }));
  // There is nothing to send, but it answers.
  EXPECT_TRUE(postgres_->becomes(kHeardOfLater, "t"));
  const int walsender = std::stoi(postgres_->execute("SELECT pid FROM pg_stat_replication"));
  ASSERT_EQ(kill(walsender, SIGSTOP), 0);
  const std::optional<Error> error = stream->ended(seconds(30));
  kill(walsender, SIGCONT);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
  EXPECT_THAT(error->message(), HasSubstr("does not answer"));
}

TEST_F(HeldUp, LeavesAServerThatDoesNotAnswerAQuestion) {
  ReadTimes times;
  times.facts = milliseconds(50);
  times.watch.answer = seconds(3);
  const auto stream = start(false, times);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  const int backend = std::stoi(postgres_->execute(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 're_dms' AND backend_type = "
      "'client backend'"));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  const std::optional<Error> error = stream->ended(seconds(20));
  kill(backend, SIGCONT);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
  EXPECT_THAT(error->message(), HasSubstr("no answer within 3 s"));
}

TEST_F(HeldUp, AsksTheCatalogOnceTheTransactionIsVisible) {
  const auto stream = start();
  wait_for_standby("nobody");
  std::jthread altering([] {
    postgres_->execute("ALTER TABLE t ADD COLUMN n int DEFAULT 7; INSERT INTO t VALUES (2, 'b')");
  });
  ASSERT_TRUE(postgres_->becomes(kCatalogWaits, "t"));
  wait_for_standby("");
  ASSERT_TRUE(stream->saw("I [2|b|7]"));
  EXPECT_THAT(stream->records(), Contains("catalog public.t(id*,v,n=7)"));
}

TEST_F(HeldUp, HandsOnNothingWhenStoppedBeforeATransactionIsVisible) {
  const auto stream = start();
  wait_for_standby("nobody");
  std::jthread altering(
      [] { postgres_->execute("ALTER TABLE t ADD COLUMN n int; INSERT INTO t VALUES (2, 'b')"); });
  ASSERT_TRUE(postgres_->becomes(kCatalogWaits, "t"));
  stream->stop();
  EXPECT_FALSE(stream->ended());
  wait_for_standby("");
  // Its BEGIN may have been handed on already; what needs the catalog may not.
  EXPECT_THAT(stream->records(), Not(Contains("R public.t")));
  EXPECT_THAT(stream->records(), Not(Contains("catalog public.t(id*,v,n)")));
}

TEST_F(HeldUp, RefusesAServerWhoseCommitsWaitForIt) {
  Source source(settings_);
  source.verify(origin_);
  for (const std::string names : {"*", "re_dms", "ANY 1 (Re_Dms)"}) {
    wait_for_standby(names);
    EXPECT_EQ(error_of([&] { Source(settings_).verify(origin_); }).kind(), ErrorKind::Fatal);
    // A run that has begun waits until somebody sets it right.
    Error error = error_of([&] { source.verify(origin_); });
    EXPECT_EQ(error.kind(), ErrorKind::Transient);
    EXPECT_THAT(error.message(), HasSubstr("synchronous_standby_names = '" + names + "'"));
    // Creating a publication would wait for ever.
    SourceSettings other = settings_;
    other.slot = "other";
    other.publication = "other";
    error = error_of([&] { Source(other).create_slot({}, [](const Origin&) {}); });
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  }
  wait_for_standby("FIRST 1 (nobody, re_dms)");
  EXPECT_NO_THROW(source.verify(origin_));
  wait_for_standby("");
}

}  // namespace
}  // namespace re_dms::held_up_pg_test
