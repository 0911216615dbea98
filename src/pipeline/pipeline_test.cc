#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "journal/segment_file.h"
#include "pipeline/testing/flow_fixture.h"

namespace re_dms::pipeline_test {
namespace {

/// A store that removes nothing.
class KeepingStore final : public ObjectStore {
 public:
  explicit KeepingStore(std::unique_ptr<ObjectStore> store) : store_(std::move(store)) {}

  std::unique_ptr<ObjectWriter> create(const std::string& key) override {
    return store_->create(key);
  }

  std::vector<std::string> list(const std::string& prefix) override { return store_->list(prefix); }

  std::vector<std::string> list_unfinished(const std::string& prefix) override {
    return store_->list_unfinished(prefix);
  }

  void remove(const std::string& key) override {
    throw Error(ErrorKind::Transient, "cannot remove " + key);
  }

  Compression compression() const override { return store_->compression(); }

  std::uint64_t free_bytes() const override { return store_->free_bytes(); }

  std::string key_of(const std::string& path) const override { return store_->key_of(path); }

 private:
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(FlowTest, LoadsEveryTransactionOnceAndInOrder) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 500, Lsn{end_of(500)});
  EXPECT_EQ(warehouse.rows(), 500U);
  EXPECT_EQ(warehouse.loaded(), Lsn{end_of(500)});
  std::uint64_t transactions = 0;
  for (const BatchSpan& span : warehouse.spans()) {
    transactions += span.transactions;
  }
  EXPECT_EQ(transactions, 500U);
}

TEST_F(FlowTest, GoesOnFromThePositionOfTheTargetAfterARestart) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 100, Lsn{end_of(100)});
  run(warehouse, 100, 200, Lsn{end_of(200)});
  EXPECT_EQ(warehouse.rows(), 200U);
}

TEST_F(FlowTest, LoadsWhatTheJournalHoldsWhenNothingFollows) {
  FakeWarehouse warehouse(origin_.consistent_point);
  Daemon daemon(*this, warehouse);
  daemon.flow.start({});
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(daemon.send(transaction(i, i == 0)));
  }
  // The stream broke inside a transaction that outgrew what the reader holds of one.
  text_ = std::string(1000, 'x');
  JournalBlock cut = transaction(100, false, 30'000);
  constexpr std::size_t kCommitBytes = 9 + 26;
  cut.bytes.resize(cut.bytes.size() - kCommitBytes);
  cut.position = {};
  ASSERT_TRUE(daemon.send(std::move(cut)));
  daemon.flow.drain(true);
  daemon.flow.join();
  EXPECT_FALSE(daemon.outcome.error());
  EXPECT_EQ(warehouse.rows(), 100U);
  EXPECT_EQ(warehouse.loaded(), Lsn{end_of(100)});
}

TEST_F(FlowTest, TriesALoadAgainWhileTheTargetIsAway) {
  FakeWarehouse warehouse(origin_.consistent_point);
  int failures = 2;
  warehouse.answer = [&](const StagedBatch&) {
    if (failures-- > 0) {
      throw Error(ErrorKind::Transient, "the target is away");
    }
    return LoadReport();
  };
  run(warehouse, 0, 50, Lsn{end_of(50)});
  EXPECT_EQ(warehouse.rows(), 50U);
}

TEST_F(FlowTest, EndsWithTheReasonWhenTheTargetThrowsWhatNobodyExpects) {
  FakeWarehouse warehouse(origin_.consistent_point);
  warehouse.answer = [](const StagedBatch&) -> LoadReport {
    throw std::runtime_error("the engine broke");
  };
  Daemon daemon(*this, warehouse);
  daemon.flow.start({});
  ASSERT_TRUE(daemon.send(transaction(0, true)));
  daemon.flow.join();
  ASSERT_TRUE(daemon.outcome.error().has_value());
  EXPECT_EQ(daemon.outcome.error()->message(), "load stopped by the engine broke");
}

TEST_F(FlowTest, StagesTwoBatchesAtMostWhileTheTargetIsAway) {
  settings_.batch.memory_bytes = 400 << 10;
  text_ = std::string(2000, 'x');
  FakeWarehouse warehouse(origin_.consistent_point);
  std::atomic<bool> away = true;
  std::size_t staged_max = 0;
  warehouse.answer = [&](const StagedBatch&) {
    // Time for a fold that does not wait.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(away ? 300 : 0);
    do {
      staged_max = std::max(staged_max, staged_files(".manifest.json"));
    } while (std::chrono::steady_clock::now() < until);
    if (away.exchange(false)) {
      throw Error(ErrorKind::Transient, "the target is away");
    }
    return LoadReport();
  };
  run(warehouse, 0, 1000, Lsn{end_of(1000)});
  EXPECT_EQ(warehouse.rows(), 1000U);
  EXPECT_GT(warehouse.spans().size(), 10U);
  EXPECT_LE(staged_max, 2U);
}

TEST_F(FlowTest, ShowsWhatTheBatchBeingFilledHolds) {
  FakeWarehouse warehouse(origin_.consistent_point);
  std::promise<void> loading;
  std::promise<void> release;
  std::once_flag first;
  warehouse.answer = [&](const StagedBatch&) {
    std::call_once(first, [&] {
      loading.set_value();
      release.get_future().wait();
    });
    return LoadReport();
  };
  Daemon daemon(*this, warehouse);
  daemon.flow.start(Lsn{end_of(5)});
  ASSERT_TRUE(daemon.send(transaction(0, true, 3)));
  loading.get_future().wait();
  ASSERT_TRUE(daemon.send(transaction(1, false, 4)));
  EXPECT_TRUE(eventually([&] { return daemon.state.progress.staged.lsn() == Lsn{end_of(2)}; }));
  EXPECT_TRUE(eventually([&] { return daemon.state.fold_rows == 0; }));
  for (std::uint64_t i = 2; i < 5; ++i) {
    ASSERT_TRUE(daemon.send(transaction(i, false, 5)));
  }
  EXPECT_TRUE(eventually([&] { return daemon.state.fold_rows == 15; }));
  EXPECT_GT(daemon.state.fold_bytes, 0U);
  EXPECT_EQ(daemon.state.rows_received.Value(), 22);
  EXPECT_TRUE(daemon.state.tables.all().empty());
  release.set_value();
  daemon.flow.join();
  EXPECT_EQ(daemon.state.fold_rows, 0U);
  ASSERT_EQ(daemon.state.tables.all().size(), 1U);
  EXPECT_EQ(daemon.state.tables.all()[0].name, table_.name);
  EXPECT_EQ(daemon.state.tables.all()[0].state, TableState::Live);
}

TEST_F(FlowTest, LeavesNoStagedFilesAndFreesTheJournal) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 5000, Lsn{end_of(5000)});
  EXPECT_EQ(staged_files(""), 0U);
  EXPECT_GT(list_segments(real_file_system(), settings_.journal.directory).front(), 1U);
}

TEST_F(FlowTest, GetsRoomAgainAfterATransactionOfTwiceTheJournalsBound) {
  settings_.journal.max_bytes = 4 * settings_.journal.segment_bytes;
  text_ = std::string(1000, 'x');
  const auto rows = static_cast<int>(2 * settings_.journal.max_bytes / text_.size());
  FakeWarehouse warehouse(origin_.consistent_point);
  Daemon daemon(*this, warehouse);
  daemon.flow.start({});
  ASSERT_TRUE(daemon.send(transaction(0, true, rows)));
  const auto loaded = [&](std::uint64_t transactions) {
    return daemon.state.progress.loaded.lsn() == Lsn{end_of(transactions)};
  };
  ASSERT_TRUE(eventually([&] { return loaded(1); }));
  EXPECT_TRUE(eventually([&] { return !daemon.flow.journal().full(); }));
  // Cut off by a lost connection, and then nothing more, because reading has paused.
  JournalBlock attempt = transaction(1, true, rows);
  attempt.bytes.resize(attempt.bytes.size() - StreamBuilder().commit({}).bytes().size());
  attempt.position = {};
  ASSERT_TRUE(daemon.send(attempt));
  JournalBlock abort;
  abort.add(RecordKind::Abort, {});
  ASSERT_TRUE(daemon.send(abort));
  ASSERT_TRUE(eventually([&] { return daemon.flow.journal().full(); }));
  EXPECT_TRUE(eventually([&] { return !daemon.flow.journal().full(); }));
  ASSERT_TRUE(daemon.send(transaction(1, true, rows)));
  EXPECT_TRUE(eventually([&] { return loaded(2); }));
  daemon.outcome.finish();
  daemon.flow.join();
  EXPECT_FALSE(daemon.outcome.error().has_value());
  EXPECT_EQ(warehouse.rows(), 2 * static_cast<std::uint64_t>(rows));
}

TEST_F(FlowTest, StagesNoMoreRowsOfATableThatFailedInALoad) {
  FakeWarehouse warehouse(origin_.consistent_point);
  bool failed = false;
  warehouse.answer = [&](const StagedBatch&) {
    LoadReport report;
    if (!std::exchange(failed, true)) {
      report.set_aside.push_back({table_.oid, table_.name, "a value does not fit", {}});
    }
    return report;
  };
  Daemon daemon(*this, warehouse);
  daemon.flow.start(Lsn{end_of(3)});
  ASSERT_TRUE(daemon.send(transaction(0, true)));
  ASSERT_TRUE(
      eventually([&] { return daemon.state.tables.any_set_aside() && staged_files("") == 0; }));
  // A fold that waits for the next transaction hears of the failure behind that one.
  ASSERT_TRUE(daemon.send(transaction(1, false)));
  ASSERT_TRUE(daemon.send(transaction(2, false)));
  daemon.flow.join();
  EXPECT_EQ(warehouse.loaded(), Lsn{end_of(3)});
  EXPECT_LE(warehouse.rows(), 2U);
}

TEST_F(FlowTest, RefusesATargetThatIsAheadOfTheJournal) {
  FakeWarehouse warehouse(Lsn{end_of(1)});
  Daemon daemon(*this, warehouse);
  daemon.flow.start({});
  daemon.flow.join();
  ASSERT_TRUE(daemon.outcome.error().has_value());
  EXPECT_EQ(daemon.outcome.error()->kind(), ErrorKind::Fatal);
  EXPECT_THAT(daemon.outcome.error()->message(), ::testing::HasSubstr("the journal ends at"));
}

TEST_F(FlowTest, GoesOnWhenStagedFilesCannotBeRemoved) {
  store_ = std::make_unique<KeepingStore>(std::move(store_));
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 50, Lsn{end_of(50)});
  EXPECT_GT(staged_files(".csv.gz"), 0U);
  // The next run cannot remove what this one left either.
  run(warehouse, 50, 100, Lsn{end_of(100)});
  EXPECT_EQ(warehouse.rows(), 100U);
}

TEST_F(FlowTest, RefusesATargetThatIsBehindTheJournal) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 5000, Lsn{end_of(5000)});
  FakeWarehouse emptied(origin_.consistent_point);
  Daemon daemon(*this, emptied);
  daemon.flow.start({});
  daemon.flow.join();
  ASSERT_TRUE(daemon.outcome.error().has_value());
  EXPECT_EQ(daemon.outcome.error()->kind(), ErrorKind::Fatal);
}

}  // namespace
}  // namespace re_dms::pipeline_test
