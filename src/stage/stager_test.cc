#include "stage/stager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/crc32c.h"
#include "base/error.h"
#include "stage/testing/layer_samples.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::stager_test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const StageNames kNames{"7300000000000000001", "re_dms", 12, "c0ffee"};

std::string prefix() {
  return "7300000000000000001/re_dms/12-c0ffee/";
}

class Stager : public testing::Test {
 protected:
  std::vector<CsvRow> rows_of(const StagedFile& file) {
    return parse_csv(gunzip(content_of(file.path)));
  }

  void put(const std::string& key) { store_->create(key)->finish(); }

  ScratchDirectory scratch_;
  std::unique_ptr<ObjectStore> store_ = open_directory_store(scratch_.path());
};

Layer inserts(std::size_t rows, std::size_t bytes = 20) {
  LayerSample sample(table_of({"id*", "note"}));
  for (std::size_t i = 0; i < rows; ++i) {
    sample.insert({std::to_string(100'000 + i), std::string(bytes, 'n')});
  }
  return sample.take();
}

TEST_F(Stager, WritesTheRowsOfAPart) {
  const Layer layer = LayerSample(table_of({"id*", "note"}))
                          .insert({"1", "first"})
                          .insert({"2", "the \"longest\" note"})
                          .add_void()
                          .insert({"3", kNull})
                          .insert({"4", "last"})
                          .take();
  const StagedFile file = write_part(*store_, kNames, {7, 2, 1}, layer, {1, 4}, Compression::Fast);
  EXPECT_EQ(store_->key_of(file.path), prefix() + "b7-l2-p1.csv.gz");
  EXPECT_THAT(rows_of(file),
              ElementsAre(CsvRow{"2", "the \"longest\" note"}, CsvRow{"3", std::nullopt}));
  EXPECT_EQ(file.rows, 2U);
  EXPECT_EQ(file.row_bytes_max, std::string("2,\"the \"\"longest\"\" note\"\n").size());
  EXPECT_EQ(file.csv_bytes, file.row_bytes_max + 5);
  EXPECT_EQ(file.stored_bytes, fs::file_size(file.path));
  EXPECT_EQ(file.crc32c, crc32c(0, content_of(file.path)));
}

TEST_F(Stager, OneChangeMakesALayerOfChanges) {
  const Layer layer = LayerSample(table_of({"id*", "note"}))
                          .insert({"1", "a"})
                          .add(RowOp::Delete, {"2"}, {})
                          .take();
  EXPECT_EQ(describe(layer).shape, LayerShape::Changes);
  const StagedFile file = write_part(*store_, kNames, {1, 0, 0}, layer, {0, 1}, Compression::Fast);
  EXPECT_THAT(rows_of(file), ElementsAre(CsvRow{"I", std::nullopt, std::nullopt, "1", "a"}));
}

TEST_F(Stager, ARowOfAMultisetIsWrittenOncePerCopy) {
  auto table = std::make_shared<TableSchema>(*table_of({"note"}));
  table->identity = ReplicaIdentity::Full;
  const Layer layer =
      LayerSample(table).add(RowOp::Delete, {}, {"a"}).copies(3).insert({"b"}).copies(2).take();
  EXPECT_EQ(describe(layer).shape, LayerShape::Multiset);
  EXPECT_THAT(plan_parts(layer, 7), ElementsAre(PartRange{0, 1}, PartRange{1, 2}));
  const StagedFile file = write_part(*store_, kNames, {1, 0, 0}, layer, {0, 2}, Compression::Fast);
  EXPECT_EQ(file.rows, layer.counts.rows());
  EXPECT_THAT(rows_of(file), ElementsAre(CsvRow{"D", "a"}, CsvRow{"D", "a"}, CsvRow{"D", "a"},
                                         CsvRow{"I", "b"}, CsvRow{"I", "b"}));
}

TEST_F(Stager, PartsWrittenAtOnceHoldEveryRowOnce) {
  const Layer layer = inserts(20'000);
  const std::vector<PartRange> parts = plan_parts(layer, 100'000);
  ASSERT_GT(parts.size(), 3U);
  std::vector<StagedFile> files(parts.size());
  {
    std::vector<std::jthread> threads;
    threads.reserve(parts.size());
    for (std::size_t part = 0; part < parts.size(); ++part) {
      threads.emplace_back([&, part] {
        files[part] =
            write_part(*store_, kNames, {1, 0, part}, layer, parts[part], Compression::Fast);
      });
    }
  }
  std::size_t next = 100'000;
  for (const StagedFile& file : files) {
    const std::vector<CsvRow> rows = rows_of(file);
    EXPECT_EQ(file.rows, rows.size());
    for (const CsvRow& row : rows) {
      ASSERT_EQ(row.at(0), std::to_string(next++));
    }
  }
  EXPECT_EQ(next, 120'000U);
}

TEST_F(Stager, APartWrittenAgainIsTheSame) {
  const Layer layer = inserts(10'000);
  const PartRange all{0, layer.rows.size()};
  const StagedFile first = write_part(*store_, kNames, {1, 0, 0}, layer, all, Compression::Fast);
  const std::string content = content_of(first.path);
  EXPECT_EQ(write_part(*store_, kNames, {1, 0, 0}, inserts(10'000), all, Compression::Fast), first);
  EXPECT_TRUE(content_of(first.path) == content);
}

TEST_F(Stager, APartThatFailsLeavesNothing) {
  Layer layer = LayerSample(table_of({"id*", "note"})).insert({"1", kUnchanged}).take();
  EXPECT_THROW(write_part(*store_, kNames, {1, 0, 0}, layer, {0, 1}, Compression::Fast), Error);
  EXPECT_THROW(write_part(*store_, kNames, {1, 0, 0}, layer, {0, 0}, Compression::Fast), Error);
  EXPECT_THROW(write_part(*store_, kNames, {1, 0, 0}, layer, {0, 2}, Compression::Fast), Error);
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
}

TEST(PlanParts, CutsEvenlyAndCoversEveryRow) {
  const Layer layer = inserts(1000);
  const std::size_t row_bytes = layer.rows[0].tuple.view().size();
  EXPECT_THAT(plan_parts(layer, 1000 * row_bytes), ElementsAre(PartRange{0, 1000}));
  EXPECT_THAT(plan_parts(layer, 500 * row_bytes),
              ElementsAre(PartRange{0, 500}, PartRange{500, 1000}));
  // A little more than two parts makes three of equal size, not two and a crumb.
  EXPECT_THAT(plan_parts(layer, 499 * row_bytes),
              ElementsAre(PartRange{0, 334}, PartRange{334, 667}, PartRange{667, 1000}));
  EXPECT_EQ(plan_parts(layer, 1).size(), 1000U);
  EXPECT_EQ(plan_parts(layer, 0).size(), 1000U);
}

TEST(PlanParts, ALargeRowDoesNotMakeEmptyParts) {
  const Layer layer = LayerSample(table_of({"id*", "note"}))
                          .insert({"1", "a"})
                          .insert({"2", std::string(5000, 'x')})
                          .insert({"3", "b"})
                          .take();
  EXPECT_THAT(plan_parts(layer, 1000), ElementsAre(PartRange{0, 2}, PartRange{2, 3}));
}

TEST(PlanParts, VoidRowsMakeNoParts) {
  EXPECT_THAT(plan_parts(Layer(table_of({"id*"})), 100), IsEmpty());
  EXPECT_THAT(plan_parts(LayerSample(table_of({"id*"})).add_void().add_void().take(), 100),
              IsEmpty());
  const Layer layer = LayerSample(table_of({"id*"}))
                          .add_void()
                          .insert({"1"})
                          .add_void()
                          .insert({"2"})
                          .add_void()
                          .take();
  EXPECT_THAT(plan_parts(layer, 1), ElementsAre(PartRange{0, 2}, PartRange{2, 5}));
}

TEST(PlanParts, CountsDeletesByTheirKeys) {
  LayerSample sample(table_of({"id*"}));
  for (int i = 0; i < 10; ++i) {
    sample.add(RowOp::Delete, {std::string(96, 'k')}, {});
  }
  EXPECT_EQ(plan_parts(sample.take(), 500).size(), 2U);
}

TEST(Describe, TellsShapeCountsAndWhatCameWithThem) {
  Layer layer = LayerSample(table_of({"id*", "a", "b"}))
                    .add(RowOp::Update, {"1"}, {"1", "x", kUnchanged})
                    .add(RowOp::Update, {"2"}, {"3", kNull, kUnchanged})
                    .add(RowOp::Delete, {"4"}, {})
                    .add(RowOp::Replace, {"5"}, {"5", "a", "b"})
                    .insert({"6", "a", "b"})
                    .take();
  layer.truncate = true;
  layer.changes = {CreateTable{}};
  const StagedLayer staged = describe(layer);
  EXPECT_EQ(staged.table, layer.table);
  EXPECT_TRUE(staged.truncate);
  EXPECT_EQ(staged.changes, layer.changes);
  EXPECT_EQ(staged.shape, LayerShape::Changes);
  EXPECT_EQ(staged.counts, (LayerCounts{1, 1, 2, 1}));
  EXPECT_THAT(staged.updated_columns, ElementsAre(true, true, false));
  EXPECT_THAT(staged.files, IsEmpty());
}

TEST(Describe, InsertsUpdateNothing) {
  const StagedLayer staged = describe(inserts(3));
  EXPECT_EQ(staged.shape, LayerShape::Inserts);
  EXPECT_THAT(staged.updated_columns, IsEmpty());
  EXPECT_EQ(describe(Layer(table_of({"id*"}))).shape, LayerShape::Inserts);
}

TEST(Describe, ColumnsThatTheTargetKeepsAreNamedSo) {
  StageFormat format;
  format.keeps_columns = [](const QualifiedName& table) { return table.name == "orders"; };
  Layer layer(table_of({"id*"}));
  layer.changes = {DropColumn{"gone"}};
  layer.copy = CopyStep{};
  const StagedLayer kept = describe(layer, format);
  EXPECT_TRUE(std::get<DropColumn>(kept.changes[0]).kept);
  EXPECT_TRUE(kept.copy->keeps_columns);
  format.keeps_columns = [](const QualifiedName&) { return false; };
  const StagedLayer dropped = describe(layer, format);
  EXPECT_FALSE(std::get<DropColumn>(dropped.changes[0]).kept);
  EXPECT_FALSE(dropped.copy->keeps_columns);
}

StageFormat five_bytes(BadValues policy) {
  return {.limits =
              [](const ColumnType&) {
                return ValueLimits{.check = ValueCheck::Text, .cuttable = true, .bytes_max = 5};
              },
          .bad_values = [policy](const QualifiedName&, const std::string&) { return policy; }};
}

TEST(Describe, OlderRowsGetOfAnAddedColumnWhatTheTargetHolds) {
  Layer layer(table_of({"id*", "note"}));
  Column added = layer.table->columns[1];
  added.missing = "123456";
  layer.changes = {AddColumn{added}};
  const auto missing = [](const StagedLayer& staged) {
    return std::get<AddColumn>(staged.changes.at(0)).column.missing;
  };
  EXPECT_EQ(missing(describe(layer)), "123456");
  const StagedLayer cut = describe(layer, five_bytes(BadValues::Usual));
  EXPECT_EQ(missing(cut), "12345");
  ASSERT_EQ(cut.adjusted.counts.size(), 1U);
  EXPECT_EQ(cut.adjusted.counts[0].column, 1U);
  EXPECT_EQ(cut.adjusted.examples.at(0).original, "123456");
  EXPECT_EQ(cut.adjusted.examples.at(0).key, "");
  EXPECT_EQ(missing(describe(layer, five_bytes(BadValues::Null))), std::nullopt);
  const StagedLayer refused = describe(layer, five_bytes(BadValues::Error));
  EXPECT_TRUE(refused.adjusted.refused);
  added.missing = "12345";
  layer.changes = {AddColumn{added}};
  EXPECT_TRUE(describe(layer, five_bytes(BadValues::Error)).adjusted.counts.empty());
}

TEST_F(Stager, RemovesAllOfABatch) {
  StagedBatch batch;
  batch.span.number = 3;
  const Layer layer = inserts(10);
  for (std::size_t index = 0; index < 2; ++index) {
    batch.layers.push_back(describe(layer));
    batch.layers.back().files = {
        write_part(*store_, kNames, {3, index, 0}, layer, {0, 5}, Compression::Fast),
        write_part(*store_, kNames, {3, index, 1}, layer, {5, 10}, Compression::Fast)};
  }
  batch.manifest_path = write_manifest(*store_, kNames, batch);
  put(prefix() + "b4-l0-p0.csv.gz");
  EXPECT_EQ(store_->list("").size(), 6U);
  remove_batch(*store_, batch);
  remove_batch(*store_, batch);
  EXPECT_THAT(store_->list(""), ElementsAre(prefix() + "b4-l0-p0.csv.gz"));
  remove_batch(*store_, StagedBatch());
}

TEST_F(Stager, CleansUpAfterOlderRunsOfItsSlotOnly) {
  const std::string slot = "7300000000000000001/re_dms/";
  const std::vector<std::string> stay = {
      "7300000000000000001/re_dms2/1-aa/b1.manifest.json",
      "7300000000000000002/re_dms/1-aa/b1.manifest.json",
      slot + "12-c0ffee/b1-l0-p0.csv.gz",
      // Of a daemon that has taken the target over since.
      slot + "13-aa/b1.manifest.json",
      slot + "12-c0ff/b2.csv.gz",
      slot + "notes/1",
      slot + "-1/1",
      slot + "1-file",
      slot + "11/1",
  };
  const std::vector<std::string> go = {slot + "1-aa/b1.manifest.json", slot + "11-aa/b1.csv.gz",
                                       slot + "2-decade/b3.csv.gz"};
  for (const std::string& key : stay) {
    put(key);
  }
  for (const std::string& key : go) {
    put(key);
  }
  fs::create_directories(scratch_.path() + "/" + slot + "9-dead");
  std::ofstream(scratch_.path() + "/" + slot + "9-dead/b1.csv.gz.partial") << "half";
  const auto writing = store_->create(prefix() + "b2-l0-p0.csv.gz");
  remove_older_runs(*store_, kNames);
  EXPECT_EQ(store_->list("").size(), stay.size());
  for (const std::string& key : go) {
    EXPECT_FALSE(fs::exists(scratch_.path() + "/" + key)) << key;
  }
  EXPECT_THAT(store_->list_unfinished(""), ElementsAre(prefix() + "b2-l0-p0.csv.gz.partial"));
  EXPECT_FALSE(fs::exists(scratch_.path() + "/" + slot + "9-dead"));
}

}  // namespace
}  // namespace re_dms::stager_test
