#include "pipeline/staging_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/testing/waiting.h"
#include "batch/batcher.h"
#include "batch/testing/stream_builder.h"
#include "pipeline/stage_thread.h"

namespace re_dms::staging_room_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

/// A directory that takes no more objects while it is full.
class StoreWithBound final : public ObjectStore {
 public:
  explicit StoreWithBound(std::unique_ptr<ObjectStore> store) : store_(std::move(store)) {}

  std::unique_ptr<ObjectWriter> create(const std::string& key) override {
    if (full) {
      throw StageFull(ErrorKind::Transient, "cannot write " + key + ": No space left on device");
    }
    return store_->create(key);
  }

  std::vector<std::string> list(const std::string& prefix) override { return store_->list(prefix); }

  std::vector<std::string> list_unfinished(const std::string& prefix) override {
    return store_->list_unfinished(prefix);
  }

  void remove(const std::string& key) override { store_->remove(key); }

  Compression compression() const override { return store_->compression(); }

  std::uint64_t free_bytes() const override { return free; }

  std::string key_of(const std::string& path) const override { return store_->key_of(path); }

  std::atomic<bool> full{false};
  std::atomic<std::uint64_t> free{0};

 private:
  std::unique_ptr<ObjectStore> store_;
};

/// A room with its threads, and a fold in front of it. Nobody loads but the test.
class StagingRoomTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/re_dms_room_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
    store_ = std::make_unique<StoreWithBound>(open_directory_store(directory_));
    pool_ = std::make_unique<StagingPool>(
        *store_, StageNames{"7000", "re_dms", 1, "c0ffee"}, StagingLimits{.ample_bytes = 1000},
        stop_.get_token(),
        StagingNotes{[this](const Error&, auto) { ++failed_; }, [this] { ++done_; }});
    room_ = std::make_unique<StagingRoom>(*pool_, BatchKind::Stream, "", progress_, staged_);
    batcher_ = std::make_unique<Batcher>(BatchLimits{50'000, 1U << 20}, Lsn{1000},
                                         std::vector<KnownTable>{{table_, true}}, *room_);
    threads_.emplace_back([this] {
      run_stage("worker", outcome_, [this](const auto&) { pool_->run_worker(stop_.get_token()); });
    });
    threads_.emplace_back([this] { room_->run_assembler(stop_.get_token()); });
  }

  void TearDown() override {
    stop_.request_stop();
    threads_.clear();
    std::filesystem::remove_all(directory_);
  }

  /// The next transaction; its part is all of it, or all but its end.
  StreamBuilder transaction(std::size_t row_bytes) {
    StreamBuilder records;
    records.begin(Lsn{commit_ += 100}).relation(table_);
    records.insert(table_.oid, {std::to_string(commit_), std::string(row_bytes, 'x')});
    return records;
  }

  void fold_one(std::size_t row_bytes) {
    StreamBuilder records = transaction(row_bytes);
    batcher_->consume(records.commit(Lsn{commit_ + 10}).unit(UnitKind::Transaction));
  }

  void begin_large() { batcher_->consume(transaction(60'000).unit(UnitKind::FirstPart)); }

  StagedBatch take() {
    auto batch = staged_.pop_for({}, std::chrono::minutes(1));
    RE_DMS_CHECK(batch.has_value());
    return *batch;
  }

  std::stop_source stop_;
  Outcome outcome_;
  std::atomic<int> failed_{0};
  std::atomic<int> done_{0};
  std::string directory_;
  std::unique_ptr<StoreWithBound> store_;
  ProgressMark progress_;
  BoundedQueue<StagedBatch> staged_{100, 100};
  std::unique_ptr<StagingPool> pool_;
  std::unique_ptr<StagingRoom> room_;
  std::unique_ptr<Batcher> batcher_;
  TableSchema table_ = text_table(16384, "notes", {"id", "body"});
  std::uint64_t commit_ = 1000;
  std::atomic<int> folded_{0};
  std::atomic<pid_t> fold_thread_{0};
  std::vector<std::jthread> threads_;
};

TEST_F(StagingRoomTest, AThirdBatchBeginsWhenTheFirstIsLoaded) {
  threads_.emplace_back([this] {
    fold_thread_ = ::gettid();
    for (; folded_ < 5; ++folded_) {
      fold_one(60'000);  // fills a batch
    }
  });
  for (std::uint64_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(take().span.number, number);
    const int places = static_cast<int>(number) + 1;
    EXPECT_TRUE(eventually([&] { return folded_ >= places && asleep(fold_thread_); }));
    EXPECT_EQ(folded_, places) << "the fold did not wait";
    room_->loaded();
  }
  take();
}

TEST_F(StagingRoomTest, AFoldThatWaitsEndsWhenItIsStopped) {
  threads_.emplace_back([this] {
    fold_thread_ = ::gettid();
    for (; folded_ < 5; ++folded_) {
      fold_one(60'000);
    }
  });
  take();
  EXPECT_TRUE(eventually([&] { return folded_ >= 2 && asleep(fold_thread_); }));
}

TEST_F(StagingRoomTest, LayersOfABegunBatchDoNotWait) {
  fold_one(60'000);
  begin_large();
  EXPECT_TRUE(room_->has_free_slot()) << "the open batch has its slot";
  for (int i = 0; i < 20; ++i) {
    StreamBuilder records;
    records.insert(table_.oid, {std::to_string(i), std::string(60'000, 'y')});
    batcher_->consume(records.unit(UnitKind::NextPart));
  }
  StreamBuilder end;
  end.begin(Lsn{commit_}).clear();
  batcher_->consume(end.commit(Lsn{commit_ + 10}).unit(UnitKind::LastPart));
  batcher_->seal();
  EXPECT_FALSE(room_->has_free_slot());
  take();
  EXPECT_EQ(take().layers.size(), 21U);
}

TEST_F(StagingRoomTest, CopiedRowsGoFurtherAheadWhereTheStoreHasAmpleRoom) {
  StagingRoom copies(*pool_, BatchKind::Copy, "copy-", progress_, staged_);
  const auto seal = [&](std::size_t batches) {
    for (std::size_t i = 0; i < batches; ++i) {
      ASSERT_TRUE(copies.has_free_slot()) << i;
      copies.seal({}, {});
    }
  };
  store_->free = 999;
  seal(kCopyBatchesMax);
  EXPECT_FALSE(copies.has_free_slot());
  store_->free = 1000;
  seal(kCopyBatchesInAmpleRoom - kCopyBatchesMax);
  EXPECT_FALSE(copies.has_free_slot());
  copies.loaded();
  EXPECT_TRUE(copies.has_free_slot());
  store_->free = 999;
  EXPECT_FALSE(copies.has_free_slot());
}

TEST_F(StagingRoomTest, AThirdBatchOfTheStreamWaitsWhateverRoomThereIs) {
  for (std::size_t i = 0; i < kStagedBatchesMax; ++i) {
    ASSERT_TRUE(room_->has_free_slot());
    room_->seal({}, {});
  }
  EXPECT_FALSE(room_->has_free_slot());
}

TEST_F(StagingRoomTest, ADroppedBatchGivesItsPlaceBack) {
  fold_one(60'000);
  for (int i = 0; i < 5; ++i) {
    begin_large();
    batcher_->consume({UnitKind::Abort, {}});
  }
  fold_one(60'000);
  take();
  EXPECT_EQ(take().layers.size(), 1U);
}

TEST_F(StagingRoomTest, AnOrdinaryBatchWaitsForRoom) {
  store_->full = true;
  fold_one(60'000);
  EXPECT_TRUE(eventually([&] { return failed_ >= 1; }));
  EXPECT_EQ(done_, 0);
  store_->full = false;
  take();
  EXPECT_TRUE(eventually([&] { return done_ == 1; }));
  EXPECT_FALSE(outcome_.error());
}

/// Nothing of it can be loaded before all of it is staged: waiting would not end.
TEST_F(StagingRoomTest, ATransactionLargerThanTheStageIsRefused) {
  begin_large();
  EXPECT_TRUE(eventually([&] { return !store_->list("").empty(); }));
  store_->full = true;
  StreamBuilder records;
  records.insert(table_.oid, {"1", std::string(60'000, 'y')});
  batcher_->consume(records.unit(UnitKind::NextPart));
  ASSERT_TRUE(eventually([&] { return outcome_.error().has_value(); }));
  const Error error = *outcome_.error();
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.message(), HasSubstr("with commit LSN " + to_string(Lsn{commit_})));
  EXPECT_THAT(error.message(), HasSubstr("bytes of it are staged"));
  EXPECT_THAT(error.message(), HasSubstr("No space left"));
  EXPECT_THAT(error.advice(), HasSubstr("stage.url"));
}

/// The batch before it leaves the stage when it is loaded.
TEST_F(StagingRoomTest, ALargeTransactionWaitsForTheBatchBeforeIt) {
  fold_one(60'000);
  take();
  store_->full = true;
  begin_large();
  EXPECT_TRUE(eventually([&] { return failed_ >= 2; }));
  EXPECT_FALSE(outcome_.error());
  store_->full = false;
  EXPECT_TRUE(eventually([&] { return done_ == 1; }));
}

TEST_F(StagingRoomTest, PartsAndManifestOfABatchHaveOneNumber) {
  begin_large();
  batcher_->consume({UnitKind::Abort, {}});
  fold_one(60'000);
  const StagedBatch batch = take();
  EXPECT_EQ(batch.span.number, 2U);
  EXPECT_THAT(batch.manifest_path, EndsWith("/b2.manifest.json"));
  EXPECT_THAT(batch.layers.at(0).files.at(0).path, EndsWith("/b2-l0-p0.csv.gz"));
}

}  // namespace
}  // namespace re_dms::staging_room_test
