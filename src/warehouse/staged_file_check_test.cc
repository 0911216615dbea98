#include "warehouse/staged_file_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "warehouse/testing/contract.h"

namespace re_dms::testing::staged_file_check_test {

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

void expect_refused(const StagedFile& file) {
  try {
    check_staged_file(file);
    ADD_FAILURE() << "a damaged file was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_NE(error.message().find(file.path), std::string::npos) << error.message();
    EXPECT_NE(error.advice().find("staged again from the journal"), std::string::npos);
  }
}

TablePtr items() {
  return make_table(501, {"shop", "items"},
                    {key_column("id", bigint_type()), column("a", text_type())});
}

TEST_P(WarehouseContract, StagedFilesAreReadOnlyAsTheyWereWritten) {
  const StagedFile file =
      write_rows(directory_ / "part.csv.gz", {{"1", std::string(600'000, 'x')}, {"2", "y"}});
  EXPECT_NO_THROW(check_staged_file(file));
  const std::string content = content_of(file.path);
  for (std::size_t at = 0; at < content.size(); at += 37) {
    std::string flipped = content;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    put(file.path, flipped);
    expect_refused(file);
  }
  put(file.path, content + "x");
  expect_refused(file);
  put(file.path, "");
  expect_refused(file);
  std::filesystem::remove(file.path);
  expect_refused(file);
}

TEST_P(WarehouseContract, ADamagedFileStopsTheLoadAndChangesNothing) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  const LayerBuilder inserts = LayerBuilder(items()).insert({"2", "y"});
  const LayerBuilder changes = LayerBuilder(items()).insert({"2", "y"}).remove({"1"});
  for (const LayerBuilder& builder : {inserts, changes}) {
    const StagedBatch batch = next_batch({staged(builder)});
    const std::string path = batch.layers[0].files[0].path;
    const std::string content = content_of(path);
    std::string flipped = content;
    // Inside gzip's own checksum: no engine is known to look at it.
    flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 4);
    for (const std::string& damage : {flipped, std::string()}) {
      put(path, damage);
      try {
        warehouse_->load(batch, {});
        ADD_FAILURE() << "a damaged file was loaded";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Fatal) << error.what();
      }
    }
    std::filesystem::remove(path);
    EXPECT_THROW(warehouse_->load(batch, {}), Error);
    EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
    EXPECT_EQ(state_of("items"), "live|NULL");
    put(path, content);
    EXPECT_NO_THROW(check_staged_file(batch.layers[0].files[0]));
  }
}

}  // namespace
}  // namespace re_dms::testing::staged_file_check_test
