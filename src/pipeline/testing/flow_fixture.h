// A flow between a stream made by hand and a target that only keeps account. For tests of the
// pipeline.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/testing/waiting.h"
#include "batch/testing/stream_builder.h"
#include "pipeline/flow.h"
#include "stage/object_store.h"

namespace re_dms {

/// A target that keeps account of what it is asked to load.
class FakeWarehouse final : public Warehouse {
 public:
  explicit FakeWarehouse(Lsn loaded) : loaded_(loaded) {}

  /// Asked before each load; may throw, or wait. What it gives is the load's report.
  std::function<LoadReport(const StagedBatch&)> answer = [](const StagedBatch&) {
    return LoadReport();
  };

  TargetState take_over(const Origin&, const TargetBefore& before,
                        const std::stop_token&) override {
    require_not_ahead(describe(), loaded_, before.journal_end);
    return {++epoch_, loaded_, {}};
  }

  LoadReport load(const StagedBatch& batch, const std::stop_token&) override {
    LoadReport report = answer(batch);
    report.set_aside.insert(report.set_aside.end(), batch.set_aside.begin(), batch.set_aside.end());
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
    return report;
  }

  std::vector<TargetTable> grant(const std::vector<TableWish>&, const std::stop_token&) override {
    return {};
  }

  std::string describe() const override { return "a fake"; }

  // After the flow ended.
  Lsn loaded() const { return loaded_; }

  std::uint64_t rows() const { return rows_; }

  const std::vector<BatchSpan>& spans() const { return spans_; }

 private:
  std::uint64_t epoch_ = 0;
  Lsn loaded_;
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
    settings_.stage.directory = directory_ + "/stage";
    store_ = open_directory_store(settings_.stage.directory);
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

  /// A flow that is to be started, and what it reports to.
  struct Daemon {
    Daemon(FlowTest& test, Warehouse& warehouse)
        : flow(test.settings_, test.origin_,
               {real_file_system(), *test.store_, warehouse, state, outcome}) {}

    bool send(JournalBlock block) {
      return flow.blocks().push(block, block.bytes.size(), outcome.stop_token());
    }

    RunState state;
    Outcome outcome;
    Flow flow;
  };

  /// Transaction `number` (from 0) with `rows` inserts; the first of a run brings the table.
  JournalBlock transaction(std::uint64_t number, bool first, int rows = 1) const {
    const Lsn commit{end_of(number)};
    StreamBuilder builder;
    builder.begin(commit);
    if (first) {
      builder.catalog({{table_, true}}).relation(table_);
    }
    for (int row = 0; row < rows; ++row) {
      builder.insert(table_.oid, {fmt::format("{}-{}", number, row), text_});
    }
    JournalBlock block;
    block.bytes = builder.commit(Lsn{end_of(number + 1)}).bytes();
    block.messages = 2 + static_cast<std::size_t>(rows);
    block.rows = static_cast<std::size_t>(rows);
    block.position = Lsn{end_of(number + 1)};
    return block;
  }

  /// Sends transactions [first, last) and waits until all of them are loaded.
  void run(FakeWarehouse& warehouse, std::uint64_t first, std::uint64_t last, Lsn until) {
    Daemon daemon(*this, warehouse);
    daemon.flow.start(until);
    for (std::uint64_t i = first; i < last; ++i) {
      ASSERT_TRUE(daemon.send(transaction(i, i == first)));
    }
    daemon.flow.join();
    if (const auto error = daemon.outcome.error()) {
      FAIL() << error->what();
    }
  }

  /// Finished files of the stage whose name ends so.
  std::size_t staged_files(std::string_view suffix) const {
    const auto keys = store_->list("");
    return static_cast<std::size_t>(std::count_if(
        keys.begin(), keys.end(), [&](const std::string& key) { return key.ends_with(suffix); }));
  }

  static std::uint64_t end_of(std::uint64_t transactions) { return 2000 + transactions * 10; }

  std::string directory_;
  PipelineSettings settings_;
  Origin origin_;
  std::unique_ptr<ObjectStore> store_;
  std::string text_ = "text";  ///< of each row
  TableSchema table_ = text_table(16384, "notes", {"id", "body"});
};

}  // namespace re_dms
