// Values that the stage changed, or was not to change, because the target cannot hold them.
#include <fmt/format.h>

#include "warehouse/testing/contract.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::contract_adjusted_test {

namespace {

TablePtr notes(Oid oid = 701, const std::string& name = "notes") {
  return make_table(oid, {"shop", name},
                    {key_column("id", bigint_type()), column("note", text_type())});
}

AdjustedValue example(const std::string& key) {
  return {1, "too long", "its beginning", key, "it's a \\ text"};
}

class AdjustedContract : public WarehouseContract {
 protected:
  /// One row, one value changed, `values` counted.
  StagedLayer changed(const TablePtr& table, bool create, const std::string& key,
                      std::uint64_t values) {
    LayerBuilder builder(table);
    StagedLayer layer =
        staged(create ? builder.create().insert({key, "it"}) : builder.insert({key, "it"}));
    layer.files.at(0).adjusted.counts = {{1, "too long", values}};
    layer.files.at(0).adjusted.examples = {example(key)};
    return layer;
  }

  Rows counts() {
    return select(
        "SELECT source_table, source_column, reason, adjusted FROM re_dms.adjusted_counts "
        "ORDER BY ALL");
  }
};

TEST_P(AdjustedContract, CountsGrowAndExamplesAreShown) {
  load({changed(notes(), true, "1", 5)});
  const LoadReport report =
      load({changed(notes(), false, "2", 7), changed(notes(), false, "3", 1)});
  ASSERT_EQ(report.adjusted.size(), 1U);
  EXPECT_EQ(report.adjusted[0].values, 8U);
  EXPECT_EQ(report.adjusted[0].column, "note");
  EXPECT_EQ(counts(), Rows{"notes|note|too long|13"});
  EXPECT_EQ(
      select("SELECT row_key, reason, became, original FROM re_dms.adjusted_values "
             "ORDER BY row_key"),
      (Rows{"1|too long|its beginning|it's a \\ text", "2|too long|its beginning|it's a \\ text",
            "3|too long|its beginning|it's a \\ text"}));
  EXPECT_EQ(select("SELECT DISTINCT below_lsn FROM re_dms.adjusted_values WHERE row_key <> '1'"),
            Rows{fmt::format("{}", loaded_)});
}

TEST_P(AdjustedContract, ALoadWhoseAnswerWasLostTellsThemAgain) {
  taken();
  const StagedBatch batch = next_batch({changed(notes(), true, "1", 5)});
  ASSERT_EQ(warehouse_->load(batch, {}).adjusted.size(), 1U);
  const LoadReport again = warehouse_->load(batch, {});
  ASSERT_EQ(again.adjusted.size(), 1U);
  EXPECT_EQ(again.adjusted[0].values, 5U);
  EXPECT_EQ(again.adjusted[0].table, (QualifiedName{"shop", "notes"}));
  EXPECT_EQ(counts(), Rows{"notes|note|too long|5"}) << "what is stored is counted once";
}

TEST_P(AdjustedContract, ExamplesOfADayAreBounded) {
  load({changed(notes(), true, "0", 1)});
  for (int i = 1; i < 12; ++i) {
    StagedLayer layer = changed(notes(), false, std::to_string(i), 100);
    layer.files[0].adjusted.examples.assign(100, example(std::to_string(i)));
    load({std::move(layer)});
  }
  EXPECT_EQ(counts(), Rows{"notes|note|too long|1101"});
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.adjusted_values"), Rows{"1000"});
  clock_.advance(std::chrono::days(1));
  load({changed(notes(), false, "20", 1)});
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.adjusted_values"), Rows{"1001"});
  clock_.advance(std::chrono::days(30));
  load({staged(LayerBuilder(notes()).remove({"20"}))});
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.adjusted_values"), Rows{"1"});
  EXPECT_EQ(counts(), Rows{"notes|note|too long|1102"});
}

TEST_P(AdjustedContract, ARefusedValueSetsItsTableAsideAndNoOther) {
  load({staged(LayerBuilder(notes()).create().insert({"1", "one"}))});
  StagedLayer first = changed(notes(), false, "2", 1);
  StagedLayer second = staged(LayerBuilder(notes()).insert({"3", "three"}));
  second.files.at(0).adjusted.refused = {1, "too long", false};
  StagedLayer other = changed(notes(702, "others"), true, "1", 2);
  const LoadReport report = load({first, other, second});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Person);
  EXPECT_NE(report.set_aside[0].reason.find("column \"note\" (text) holds a value"),
            std::string::npos);
  EXPECT_EQ(report.rows, 1U);
  EXPECT_EQ(select("SELECT * FROM shop.notes"), Rows{"1|one"});
  EXPECT_EQ(counts(), Rows{"others|note|too long|2"});
  EXPECT_EQ(state_of("notes").substr(0, 9), "set aside");
}

TEST_P(AdjustedContract, ARefusedCopyIsSetAsideToo) {
  load({staged(LayerBuilder(notes()).create().insert({"1", "one"}))});
  StagedLayer layer = staged(LayerBuilder(notes(703, "copied")).create().insert({"1", "x"}));
  layer.files.at(0).adjusted.refused = {0, "not a number", true};
  const LoadReport report = load({layer});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_NE(report.set_aside[0].reason.find("told apart"), std::string::npos);
}

TEST_P(AdjustedContract, AValueThatIsNotOfItsTypeHasTheTableCopied) {
  load({staged(LayerBuilder(notes()).create().insert({"1", "one"}))});
  StagedLayer layer = staged(LayerBuilder(notes()).insert({"2", "two"}));
  layer.files.at(0).adjusted.refused = {1, "not of its type", false, Remedy::Copy};
  const LoadReport report = load({layer});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);
  EXPECT_NE(report.set_aside[0].reason.find("a type was altered"), std::string::npos);
  EXPECT_EQ(select("SELECT * FROM shop.notes"), Rows{"1|one"});
  EXPECT_EQ(state_of("notes").substr(0, 7), "waiting");
}

INSTANTIATE_TEST_SUITE_P(DuckDb, AdjustedContract, ::testing::Values(&make_duckdb_target));

}  // namespace
}  // namespace re_dms::testing::contract_adjusted_test
