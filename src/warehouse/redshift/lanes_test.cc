#include "warehouse/redshift/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace re_dms::redshift {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kMiB = 1 << 20;

StagedLayer layer_of(Oid oid, std::uint64_t stored_bytes) {
  auto table = std::make_shared<TableSchema>();
  table->oid = oid;
  StagedLayer layer;
  layer.table = table;
  StagedFile file;
  file.stored_bytes = stored_bytes;
  layer.files.push_back(file);
  return layer;
}

StagedBatch batch_of(const std::vector<std::uint64_t>& bytes) {
  StagedBatch batch;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    batch.layers.push_back(layer_of(static_cast<Oid>(at + 1), bytes[at]));
  }
  return batch;
}

std::vector<Oid> tables_of(const StagedBatch& batch) {
  std::vector<Oid> tables;
  for (const StagedLayer& layer : batch.layers) {
    tables.push_back(layer.table->oid);
  }
  return tables;
}

TEST(Deal, FewSmallTablesAreWorthOneLane) {
  const StagedBatch batch = batch_of({1000, 1000, 1000, 1000, 1000, 1000, 1000});
  EXPECT_THAT(deal(batch, tables_of(batch), 4), ElementsAre(ElementsAre(1, 2, 3, 4, 5, 6, 7)));
}

TEST(Deal, TheLargestComeFirstAndTheOthersBesideThem) {
  const StagedBatch batch = batch_of({1 * kMiB, 40 * kMiB, 10 * kMiB, 12 * kMiB});
  EXPECT_THAT(deal(batch, tables_of(batch), 4),
              ElementsAre(ElementsAre(2), ElementsAre(4), ElementsAre(3, 1)));
}

TEST(Deal, ManySmallTablesTakeALaneForEveryFour) {
  const StagedBatch batch = batch_of(std::vector<std::uint64_t>(9, 1000));
  EXPECT_THAT(deal(batch, tables_of(batch), 4),
              ElementsAre(ElementsAre(1, 3, 5, 7, 9), ElementsAre(2, 4, 6, 8)));
}

TEST(Deal, NeitherMoreLanesThanAllowedNorThanTables) {
  const StagedBatch many = batch_of(std::vector<std::uint64_t>(100, kMiB));
  EXPECT_EQ(deal(many, tables_of(many), 3).size(), 3U);
  const StagedBatch one = batch_of({900 * kMiB});
  EXPECT_THAT(deal(one, tables_of(one), 8), ElementsAre(ElementsAre(1)));
}

TEST(Deal, TablesThatWereNotAskedAboutAreLeft) {
  const StagedBatch batch = batch_of({40 * kMiB, 40 * kMiB, 40 * kMiB});
  EXPECT_THAT(deal(batch, {1, 3}, 4), ElementsAre(ElementsAre(1), ElementsAre(3)));
}

}  // namespace
}  // namespace re_dms::redshift
