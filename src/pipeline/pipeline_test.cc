#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <mutex>
#include <vector>

#include "batch/testing/stream_builder.h"
#include "pipeline/flow.h"
#include "stage/object_store.h"

namespace re_dms {
namespace {

/// A target that keeps what it is asked to load, and may fail first.
class FakeWarehouse final : public Warehouse {
 public:
  explicit FakeWarehouse(Lsn loaded) : loaded_(loaded) {}

  TargetState take_over(const Origin&) override { return {++epoch_, loaded_, {}}; }

  LoadReport load(const StagedBatch& batch) override {
    const std::lock_guard lock(mutex_);
    if (failures_ > 0) {
      --failures_;
      throw Error(ErrorKind::Transient, "the target is away");
    }
    RE_DMS_CHECK(batch.span.from == loaded_);
    for (const StagedLayer& layer : batch.layers) {
      std::uint64_t rows = 0;
      for (const StagedFile& file : layer.files) {
        RE_DMS_CHECK(std::filesystem::exists(file.path));
        rows += file.rows;
      }
      RE_DMS_CHECK(rows == layer.counts.rows());
      rows_ += rows;
    }
    loaded_ = batch.span.to;
    spans_.push_back(batch.span);
    return {};
  }

  std::string describe() const override { return "a fake"; }

  void fail(int times) { failures_ = times; }

  Lsn loaded() const { return loaded_; }

  std::uint64_t rows() const { return rows_; }

  const std::vector<BatchSpan>& spans() const { return spans_; }

 private:
  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  Lsn loaded_;
  int failures_ = 0;
  std::uint64_t rows_ = 0;
  std::vector<BatchSpan> spans_;
};

class FlowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/re_dms_flow_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
    settings_.journal.directory = directory_ + "/journal";
    settings_.journal.segment_bytes = 1 << 16;
    settings_.journal.reserve_bytes = 0;
    settings_.batch.interval = std::chrono::milliseconds(1);
    settings_.batch.memory_bytes = 64 << 20;
    settings_.stage_directory = directory_ + "/stage";
    origin_.system_identifier = "7000000000000000001";
    origin_.timeline = 1;
    origin_.database = "app";
    origin_.slot = "re_dms";
    origin_.publication = "re_dms";
    origin_.server_version = 150000;
    origin_.created = true;
    origin_.consistent_point = Lsn{1000};
    real_file_system().create_directories(settings_.journal.directory);
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// One transaction with one insert; its commit record starts at `commit`.
  static JournalBlock transaction(const TableSchema& table, std::uint64_t commit, bool first) {
    StreamBuilder builder;
    builder.begin(Lsn{commit});
    if (first) {
      builder.catalog({{table, true}}).relation(table);
    }
    builder.insert(table.oid, {std::to_string(commit), "text"}).commit(Lsn{commit + 10});
    JournalBlock block;
    block.bytes = builder.bytes();
    block.messages = 3;
    block.position = Lsn{commit + 10};
    return block;
  }

  /// Sends transactions [first, last) and waits until all of them are loaded.
  void run(FakeWarehouse& warehouse, std::uint64_t first, std::uint64_t last, Lsn until) {
    RunState state;
    Outcome outcome;
    const auto store = open_directory_store(settings_.stage_directory);
    Flow flow(settings_, origin_, {real_file_system(), *store, warehouse, state, outcome});
    flow.start(until);
    for (std::uint64_t i = first; i < last; ++i) {
      JournalBlock block = transaction(table_, 2000 + i * 10, i == first);
      ASSERT_TRUE(flow.blocks().push(block, block.bytes.size(), outcome.stop_token()));
    }
    flow.join();
    if (const auto error = outcome.error()) {
      FAIL() << error->what();
    }
  }

  static std::uint64_t end_of(std::uint64_t transactions) { return 2000 + transactions * 10; }

  std::string directory_;
  PipelineSettings settings_;
  Origin origin_;
  TableSchema table_ = text_table(16384, "notes", {"id", "body"});
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

TEST_F(FlowTest, TriesALoadAgainWhileTheTargetIsAway) {
  FakeWarehouse warehouse(origin_.consistent_point);
  warehouse.fail(2);
  run(warehouse, 0, 50, Lsn{end_of(50)});
  EXPECT_EQ(warehouse.rows(), 50U);
}

TEST_F(FlowTest, LeavesNoStagedFilesAndFreesTheJournal) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 5000, Lsn{end_of(5000)});
  std::size_t left = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(settings_.stage_directory)) {
    left += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(left, 0U);
  EXPECT_GT(*journal_begin(real_file_system(), settings_.journal.directory),
            origin_.consistent_point);
}

TEST_F(FlowTest, RefusesATargetThatIsBehindTheJournal) {
  FakeWarehouse warehouse(origin_.consistent_point);
  run(warehouse, 0, 5000, Lsn{end_of(5000)});
  FakeWarehouse emptied(origin_.consistent_point);
  RunState state;
  Outcome outcome;
  const auto store = open_directory_store(settings_.stage_directory);
  Flow flow(settings_, origin_, {real_file_system(), *store, emptied, state, outcome});
  flow.start({});
  flow.join();
  ASSERT_TRUE(outcome.error().has_value());
  EXPECT_EQ(outcome.error()->kind(), ErrorKind::Fatal);
}

}  // namespace
}  // namespace re_dms
