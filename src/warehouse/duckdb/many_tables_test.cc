// What a load costs where there are many tables: as much as the tables it changes.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "warehouse/duckdb/saved_blocks.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::many_tables_test {

namespace {

class DuckdbManyTables : public WarehouseContract {
 protected:
  static TablePtr table(Oid oid) {
    return make_table(oid, {"shop", fmt::format("t{}", oid)},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }

  /// Makes tables with these OIDs, one row in each.
  void make_tables(Oid first, Oid last) {
    std::vector<StagedLayer> layers;
    for (Oid oid = first; oid <= last; ++oid) {
      layers.push_back(staged(LayerBuilder(table(oid)).create().insert({"1", "x"})));
    }
    ASSERT_TRUE(load(std::move(layers)).set_aside.empty());
  }

  /// The statements of a take-over and of the load of one row.
  std::vector<std::string> statements_of_one_row(const std::string& id) {
    std::vector<std::string> statements;
    WarehouseSettings settings = target_->settings();
    settings.watch.begins = [&](std::string_view statement) { statements.emplace_back(statement); };
    warehouse_ = open_warehouse(settings, clock_);
    warehouse_->take_over(test_origin(), unknown_before(), {});
    statements.emplace_back("the load");
    EXPECT_TRUE(
        load({staged(LayerBuilder(table(501)).insert({id, "y"}).remove({"1"}).insert({"1", "z"}))})
            .set_aside.empty());
    warehouse_.reset();
    return statements;
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbManyTables, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbManyTables, CostALoadOfOneRowNoStatementMore) {
  make_tables(501, 503);
  const std::vector<std::string> few = statements_of_one_row("2");
  make_tables(504, 560);
  const std::vector<std::string> many = statements_of_one_row("3");
  EXPECT_EQ(few.size(), many.size());
  // These list whatever exists.
  for (auto statement = std::ranges::find(many, "the load"); statement != many.end(); ++statement) {
    EXPECT_THAT(*statement, ::testing::Not(::testing::ContainsRegex(
                                "information_schema|duckdb_tables|duckdb_views|duckdb_columns")));
  }
}

TEST_P(DuckdbManyTables, AreWrittenDownInFewStatements) {
  std::vector<std::string> statements;
  WarehouseSettings settings = target_->settings();
  settings.watch.begins = [&](std::string_view statement) {
    if (statement.find("re_dms_internal") != std::string_view::npos) {
      statements.emplace_back(statement);
    }
  };
  warehouse_ = open_warehouse(settings, clock_);
  warehouse_->take_over(test_origin(), unknown_before(), {});
  statements.clear();
  make_tables(501, 800);
  EXPECT_LT(statements.size(), 12U);
  EXPECT_EQ(select("SELECT count(*), count(DISTINCT source_table) FROM re_dms.tables"),
            Rows{"300|300"});
  EXPECT_EQ(select("SELECT count(*), sum(rows) FROM re_dms.loads"), Rows{"300|300"});
}

}  // namespace
}  // namespace re_dms::testing::many_tables_test
