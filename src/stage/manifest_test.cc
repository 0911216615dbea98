#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "stage/stager.h"
#include "stage/testing/layer_samples.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::manifest_test {
namespace {

using Json = nlohmann::json;

StagedBatch sample_batch() {
  StagedBatch batch;
  batch.span.number = 7;
  batch.span.from = Lsn{0x16B374D848};
  batch.span.to = Lsn{0x16B374E000};
  batch.span.transactions = 3;
  batch.span.changes = 9;
  batch.span.first_commit = SystemTime(std::chrono::seconds(1'769'860'800));
  batch.span.last_commit = batch.span.first_commit + std::chrono::microseconds(1'500'000);
  StagedLayer layer;
  layer.table = table_of({"id*", "note"});
  layer.truncate = true;
  layer.shape = LayerShape::Changes;
  layer.counts = {1, 2, 3, 4};
  layer.files = {{"/stage/p0", 6, 600, 60, 101, 0x8A9136AA}, {"/stage/p1", 4, 400, 40, 99, 0x1F}};
  batch.layers.push_back(layer);
  batch.set_aside = {{16999, {"public", "broken"}, "it's \"odd\" \xFF", Lsn{0x10}}};
  return batch;
}

class Manifest : public testing::Test {
 protected:
  Json written(const StagedBatch& batch) {
    path_ = write_manifest(*store_, {"73", "re_dms", 12, "c0ffee"}, batch);
    return Json::parse(content_of(path_));
  }

  ScratchDirectory scratch_;
  std::unique_ptr<ObjectStore> store_ = open_directory_store(scratch_.path());
  std::string path_;
};

TEST_F(Manifest, TellsWhereTheBatchReaches) {
  const Json json = written(sample_batch());
  EXPECT_EQ(store_->key_of(path_), "73/re_dms/12-c0ffee/b7.manifest.json");
  EXPECT_EQ(json.at("format"), 1);
  EXPECT_EQ(json.at("batch"), Json::parse(R"({
    "number": 7, "from": "16/B374D848", "to": "16/B374E000", "transactions": 3, "changes": 9,
    "first_commit": "2026-01-31 12:00:00.000000+00",
    "last_commit": "2026-01-31 12:00:01.500000+00"})"));
}

TEST_F(Manifest, NamesEveryFileWithItsCounts) {
  const Json json = written(sample_batch());
  EXPECT_EQ(json.at("layers"), Json::parse(R"([{
    "oid": 16384, "schema": "public", "table": "orders", "shape": "changes", "truncate": true,
    "counts": {"inserts": 1, "replaces": 2, "updates": 3, "deletes": 4},
    "columns": ["id", "note"], "key": ["id"],
    "files": [
      {"path": "/stage/p0", "rows": 6, "csv_bytes": 600, "stored_bytes": 60, "row_bytes_max": 101,
       "crc32c": "8a9136aa"},
      {"path": "/stage/p1", "rows": 4, "csv_bytes": 400, "stored_bytes": 40, "row_bytes_max": 99,
       "crc32c": "0000001f"}
    ]}])"));
}

TEST_F(Manifest, SaysWhichTablesAreSetAside) {
  const Json json = written(sample_batch()).at("set_aside");
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0].at("oid"), 16999);
  EXPECT_EQ(json[0].at("table"), "broken");
  EXPECT_EQ(json[0].at("position"), "0/10");
  EXPECT_EQ(json[0].at("reason"), "it's \"odd\" \xEF\xBF\xBD");
}

TEST_F(Manifest, AnIdleBatchHasNoCommitTimes) {
  const Json json = written(StagedBatch());
  EXPECT_TRUE(json.at("batch").at("first_commit").is_null());
  EXPECT_TRUE(json.at("layers").empty());
  EXPECT_TRUE(json.at("set_aside").empty());
}

}  // namespace
}  // namespace re_dms::manifest_test
