// `pg_ctl stop` never waits for us, whatever we are doing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/testing/stream_probe.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms::shutdown_pg_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kShutdown{5};

class Shutdown : public ::testing::Test {
 protected:
  void SetUp() override {
    postgres_.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
    settings_.url = postgres_.url();
    Source source(settings_);
    origin_ = source.create_slot({}, [](const Origin&) {}).origin;
    stream_ = std::make_unique<StreamProbe>(settings_, origin_, origin_.consistent_point,
                                            origin_.consistent_point, false, times_);
    postgres_.execute("INSERT INTO t VALUES (0, 'a')");
    ASSERT_TRUE(stream_->saw("I [0|a]"));
  }

  void expect_shutdown(ThrowawayPostgres::Stop how) {
    EXPECT_TRUE(postgres_.stop(how, kShutdown));
    const std::optional<Error> error = stream_->ended(kShutdown);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::Transient) << error->what();
  }

  void expect_fast_shutdown() { expect_shutdown(ThrowawayPostgres::Stop::Fast); }

  ThrowawayPostgres postgres_;
  SourceSettings settings_;
  Origin origin_;
  ReadTimes times_;
  std::unique_ptr<StreamProbe> stream_;
};

class SmartShutdown : public Shutdown {
 protected:
  SmartShutdown() { times_.watch.call = milliseconds(500); }
};

TEST_F(Shutdown, IsFastWhileIdle) {
  expect_fast_shutdown();
}

TEST_F(Shutdown, IsFastWhileOthersWrote) {
  postgres_.execute("CREATE TABLE unpublished AS SELECT generate_series(1, 100000) AS id");
  expect_fast_shutdown();
}

TEST_F(Shutdown, IsFastWhileChangesStream) {
  // Few enough to be read whole in the time: the server waits until all of it is confirmed.
  postgres_.execute("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g");
  expect_fast_shutdown();
}

TEST_F(Shutdown, IsFastWhilePaused) {
  stream_->pause(true);
  postgres_.execute("INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 50000) g");
  expect_fast_shutdown();
}

TEST_F(Shutdown, IsFastWhileTheQueueIsFull) {
  stream_->hold(true);
  postgres_.execute("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g");
  expect_fast_shutdown();
}

TEST_F(Shutdown, IsFastWhileNothingIsJournaled) {
  stream_->hold(true);
  postgres_.execute("INSERT INTO t VALUES (1, 'b')");
  const Lsn end = *Lsn::parse(postgres_.execute("SELECT pg_current_wal_lsn()"));
  ASSERT_TRUE(eventually([&] { return stream_->progress().received.lsn() >= end; }));
  EXPECT_TRUE(postgres_.stop(ThrowawayPostgres::Stop::Fast, seconds(20)));
  const std::optional<Error> error = stream_->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient) << error->what();
}

TEST_F(SmartShutdown, EndsWhileIdle) {
  expect_shutdown(ThrowawayPostgres::Stop::Smart);
}

TEST_F(SmartShutdown, EndsWhileNothingIsJournaled) {
  stream_->hold(true);
  postgres_.execute("INSERT INTO t VALUES (1, 'b')");
  const Lsn end = *Lsn::parse(postgres_.execute("SELECT pg_current_wal_lsn()"));
  ASSERT_TRUE(eventually([&] { return stream_->progress().received.lsn() >= end; }));
  expect_shutdown(ThrowawayPostgres::Stop::Smart);
}

TEST_F(Shutdown, LosesNothingThatComesAfterTheRestart) {
  expect_fast_shutdown();
  const Lsn journaled = stream_->progress().journaled.lsn();
  postgres_.start();
  postgres_.execute("INSERT INTO t VALUES (1, 'after')");
  StreamProbe again(settings_, origin_, origin_.consistent_point, journaled);
  EXPECT_TRUE(again.saw("I [1|after]")) << again.ended(seconds(1))->what();
}

}  // namespace
}  // namespace re_dms::shutdown_pg_test
