// Columns that the source dropped and the target keeps: what they hold is never lost unasked.
#include <fmt/format.h>

#include "warehouse/testing/copy_contract.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::contract_kept_columns_test {

namespace {

/// The table with one more column.
TablePtr with(const TablePtr& table, std::int16_t attnum, const std::string& name,
              std::optional<std::string> missing = std::nullopt) {
  TableSchema wider = *table;
  wider.columns.push_back(column(name, text_type()));
  wider.columns.back().attnum = attnum;
  wider.columns.back().missing = std::move(missing);
  return std::make_shared<const TableSchema>(std::move(wider));
}

TablePtr wide() {
  return with(items(), 3, "old");
}

class KeptColumns : public CopyContract {
 protected:
  void SetUp() override {
    load({staged(LayerBuilder(wide())
                     .create()
                     .insert({"1", "a", "one"})
                     .insert({"2", "b", "two"})
                     .insert({"3", "c", "three"}))});
    EXPECT_TRUE(load({staged(LayerBuilder(items()).keep_column("old").insert({"4", "d"}))})
                    .set_aside.empty());
  }

  std::string reason_of(const LoadReport& report) {
    EXPECT_EQ(report.set_aside.size(), 1U);
    EXPECT_TRUE(report.set_aside.empty() || report.set_aside[0].remedy == Remedy::Person);
    return report.set_aside.empty() ? "" : report.set_aside[0].reason;
  }

  StagedLayer copied(const TablePtr& table, bool keeps) {
    StagedLayer layer = step(1, true, Lsn{9000}, {{"1", "copied"}}, table);
    layer.copy->keeps_columns = keeps;
    return layer;
  }

  void drop_old() { target_->execute("ALTER TABLE shop.items DROP COLUMN old"); }
};

TEST_P(KeptColumns, HoldWhatTheyHeldAndNothingOfLaterRows) {
  EXPECT_EQ(rows(), (Rows{"1|a|one", "2|b|two", "3|c|three", "4|d|NULL"}));
  EXPECT_TRUE(load({staged(LayerBuilder(items())
                               .replace({"1"}, {"1", "A"})
                               .replace({"3"}, {"5", "moved"})
                               .update({"2"}, "01", {{}, "B"})
                               .remove({"4"})
                               .insert({"6", "e"}))})
                  .set_aside.empty());
  EXPECT_EQ(rows(), (Rows{"1|A|one", "2|B|two", "5|moved|three", "6|e|NULL"}));
  // One row alone, and only whole ones.
  load({staged(LayerBuilder(items()).replace({"1"}, {"1", "AA"}))});
  load({staged(LayerBuilder(items()).replace({"1"}, {"1", "AAA"}).replace({"2"}, {"2", "BB"}))});
  EXPECT_EQ(rows(), (Rows{"1|AAA|one", "2|BB|two", "5|moved|three", "6|e|NULL"}));
  EXPECT_EQ(state_of("items"), "live|NULL");
}

TEST_P(KeptColumns, HoldWhatTheyHeldInALargeTableToo) {
  // There, DuckDB deletes a row that is replaced and inserts it.
  target_->execute("INSERT INTO shop.items SELECT range + 100, 'many', 'old' FROM range(3000)");
  EXPECT_TRUE(load({staged(LayerBuilder(items())
                               .replace({"1"}, {"2", "A"})
                               .replace({"2"}, {"1", "B"})
                               .replace({"3"}, {"30", "C"})
                               .update({"4"}, "01", {{}, "D"})
                               .insert({"3", "e"}))})
                  .set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.items WHERE id < 100"),
            (Rows{"1|B|two", "2|A|one", "30|C|three", "3|e|NULL", "4|D|NULL"}));
  load({staged(LayerBuilder(items()).replace({"1"}, {"1", "alone"}))});
  drop_old();
  load({staged(LayerBuilder(items()).replace({"2"}, {"2", "without"}))});
  EXPECT_EQ(select("SELECT * FROM shop.items WHERE id < 3"), (Rows{"1|alone", "2|without"}));
}

TEST_P(KeptColumns, StayThroughARestartAndOtherChanges) {
  warehouse_ = open();
  EXPECT_EQ(taken().take_over(test_origin(), unknown_before(), {}).tables.at(0).state,
            TableState::Live);
  const TablePtr wider = with(items(), 4, "n", "7");
  // Behind a changed row DuckDB makes the table anew.
  EXPECT_TRUE(load({staged(LayerBuilder(items()).remove({"3"})),
                    staged(LayerBuilder(wider).add_column("n").insert({"5", "e", "8"}))})
                  .set_aside.empty());
  EXPECT_EQ(select("SELECT id, a, n, old FROM shop.items"),
            (Rows{"1|a|7|one", "2|b|7|two", "4|d|7|NULL", "5|e|8|NULL"}));
  EXPECT_TRUE(load({staged(LayerBuilder(items()).drop_column("n"))}).set_aside.empty());
  EXPECT_EQ(select("SELECT id, a, old FROM shop.items WHERE id < 3"), (Rows{"1|a|one", "2|b|two"}));
}

TEST_P(KeptColumns, AnotherOneOfTheirNameWaitsForAPerson) {
  const TablePtr with_again = with(items(), 4, "OLD", "new");
  const auto added = [&] {
    return staged(LayerBuilder(with_again).add_column("OLD").insert({"5", "e", "x"}));
  };
  EXPECT_NE(reason_of(load({added()})).find("keeps another one of this name"), std::string::npos);
  EXPECT_EQ(rows(), (Rows{"1|a|one", "2|b|two", "3|c|three", "4|d|NULL"}));
  // When it is gone, the table goes on where it stands.
  drop_old();
  const TargetTable table = ask(Wish::Resume);
  const Lsn to{table.position.value + 100};
  EXPECT_TRUE(catch_up(table.position, table.position, to, {added()}).set_aside.empty());
  EXPECT_EQ(select("SELECT id, a, \"OLD\" FROM shop.items"),
            (Rows{"1|a|new", "2|b|new", "3|c|new", "4|d|new", "5|e|x"}));
}

TEST_P(KeptColumns, ACopyDoesNotTakeTheirPlace) {
  ask(Wish::Copy);
  EXPECT_NE(
      reason_of(load_copy({copied(items(), true)})).find("(old): what they hold would be lost"),
      std::string::npos);
  EXPECT_EQ(rows(), (Rows{"1|a|one", "2|b|two", "3|c|three", "4|d|NULL"}));
  drop_old();
  ask(Wish::Copy);
  EXPECT_TRUE(load_copy({copied(items(), true)}).set_aside.empty());
  EXPECT_EQ(rows(), Rows{"1|copied"});
}

TEST_P(KeptColumns, ACopyTakesTheirPlaceWhereThatIsWanted) {
  ask(Wish::Copy);
  EXPECT_TRUE(load_copy({copied(items(), false)}).set_aside.empty());
  EXPECT_EQ(rows(), Rows{"1|copied"});
}

TEST_P(KeptColumns, ACopyDoesNotTakeTheColumnThatWasReplacedMeanwhile) {
  drop_old();
  const TablePtr first = with(items(), 4, "v");
  EXPECT_TRUE(load({staged(LayerBuilder(first).add_column("v").insert({"5", "e", "first"}))})
                  .set_aside.empty());
  ask(Wish::Copy);
  StagedLayer copy = step(1, true, Lsn{9000}, {{"1", "a", "second"}}, with(items(), 5, "v"));
  copy.copy->keeps_columns = true;
  EXPECT_NE(reason_of(load_copy({copy})).find("(v): what they hold would be lost"),
            std::string::npos);
  EXPECT_EQ(select("SELECT v FROM shop.items WHERE id = 5"), Rows{"first"});
}

TEST_P(KeptColumns, RowsWithoutAKeyCannotKeepThem) {
  const auto keyless = [](const std::vector<Column>& columns) {
    TableSchema table = *make_table(801, {"shop", "log"}, columns);
    table.identity = ReplicaIdentity::Full;
    return std::make_shared<const TableSchema>(table);
  };
  const TablePtr before = keyless({column("a", text_type()), column("old", text_type())});
  const TablePtr after = keyless({column("a", text_type())});
  load({staged(LayerBuilder(before).create().insert({"x", "y"}))});
  EXPECT_TRUE(
      load({staged(LayerBuilder(after).keep_column("old").insert({"z"}))}).set_aside.empty())
      << "nothing is lost";
  EXPECT_NE(reason_of(load({staged(LayerBuilder(after).take({"x"}).insert({"X"}))}))
                .find("without a key"),
            std::string::npos);
  EXPECT_EQ(select("SELECT * FROM shop.log ORDER BY 1"), (Rows{"x|y", "z|NULL"}));
}

TEST_P(KeptColumns, RowsWithoutAKeyGoOnOnceTheyAreGone) {
  const auto keyless = [](const std::vector<Column>& columns) {
    TableSchema table = *make_table(801, {"shop", "log"}, columns);
    table.identity = ReplicaIdentity::Full;
    return std::make_shared<const TableSchema>(table);
  };
  const TablePtr after = keyless({column("a", text_type())});
  load({staged(LayerBuilder(keyless({column("a", text_type()), column("old", text_type())}))
                   .create()
                   .insert({"x", "y"}))});
  load({staged(LayerBuilder(after).keep_column("old").insert({"z"}))});
  target_->execute("ALTER TABLE shop.log DROP COLUMN old");
  EXPECT_TRUE(load({staged(LayerBuilder(after).take({"x"}).insert({"X"}))}).set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.log ORDER BY 1"), (Rows{"X", "z"}));
}

/// No section of the configuration may match the new name.
TEST_P(KeptColumns, AreNotLostWithARename) {
  ask(Wish::Copy);
  const TablePtr renamed = items(kCopiedOid, {"shop", "items_2023"});
  EXPECT_NE(
      reason_of(load_copy({copied(renamed, false)})).find("(old): what they hold would be lost"),
      std::string::npos);
  EXPECT_EQ(rows(), (Rows{"1|a|one", "2|b|two", "3|c|three", "4|d|NULL"}));
}

INSTANTIATE_TEST_SUITE_P(DuckDb, KeptColumns, ::testing::Values(&make_duckdb_target));

}  // namespace
}  // namespace re_dms::testing::contract_kept_columns_test
