// Rows without a key: exactly as many equal ones go as were deleted.
#include "warehouse/testing/contract.h"

namespace re_dms::testing::contract_multiset_test {

namespace {

constexpr auto kAll = "SELECT * FROM shop.readings";

/// With a column named as DuckDB names a row's place.
TablePtr readings() {
  auto table = std::make_shared<TableSchema>(*make_table(
      601, {"shop", "readings"},
      {column("rowid", bigint_type()), column("value", type_of(701, "double precision")),
       column("note", text_type())}));
  table->identity = ReplicaIdentity::Full;
  return table;
}

TEST_P(WarehouseContract, OfEqualRowsAsManyGoAsWereDeleted) {
  load({staged(LayerBuilder(readings())
                   .create()
                   .insert({"1", "0.5", "x"})
                   .insert({"1", "0.5", "x"})
                   .insert({"1", "0.5", "x"})
                   .insert({"1", "0.5", "y"})
                   .insert({"2", "NaN", std::nullopt})
                   .insert({"2", "NaN", std::nullopt})
                   .insert({std::nullopt, std::nullopt, ""}))});
  const LoadReport report = load({staged(LayerBuilder(readings())
                                             .take({"1", "0.5", "x"})
                                             .take({"1", "0.5", "x"})
                                             .take({"2", "NaN", std::nullopt})
                                             .take({std::nullopt, std::nullopt, ""})
                                             .insert({"1", "0.5", "y"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.rows, 5U);
  EXPECT_EQ(select(kAll), (Rows{"1|0.5|x", "1|0.5|y", "1|0.5|y", "2|nan|NULL"}));
}

TEST_P(WarehouseContract, RowsThatDifferInTextAloneAreEqualInTheTarget) {
  load({staged(
      LayerBuilder(readings()).create().insert({"1", "1e1", "x"}).insert({"1", "10", "x"}))});
  load({staged(LayerBuilder(readings()).take({"1", "10.0", "x"}).take({"1", "1e1", "x"}))});
  EXPECT_EQ(select(kAll), Rows{});
}

TEST_P(WarehouseContract, AMultisetThatLacksARowIsSetAside) {
  load({staged(LayerBuilder(readings()).create().insert({"1", "1", "x"}).insert({"2", "2", "x"}))});
  const LoadReport report =
      load({staged(LayerBuilder(readings()).take({"1", "1", "x"}).take({"1", "1", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_NE(report.set_aside[0].reason.find("DELETE found 1 rows where 2 were staged"),
            std::string::npos)
      << report.set_aside[0].reason;
  EXPECT_EQ(select(kAll), (Rows{"1|1.0|x", "2|2.0|x"}));
}

TEST_P(WarehouseContract, LayersOfAMultisetApplyInOrder) {
  load({staged(LayerBuilder(readings()).create().insert({"1", "1", "x"}).insert({"1", "1", "x"})),
        staged(LayerBuilder(readings()).take({"1", "1", "x"}).insert({"1", "1", "y"})),
        staged(LayerBuilder(readings()).take({"1", "1", "y"}).take({"1", "1", "x"}))});
  EXPECT_EQ(select(kAll), Rows{});
}

}  // namespace
}  // namespace re_dms::testing::contract_multiset_test
