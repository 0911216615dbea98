// Tables of their own: schema changes, names, and one table's trouble that stays its own.
#include <fmt/format.h>

#include "warehouse/testing/contract.h"

namespace re_dms::testing::contract_tables_test {

namespace {

TablePtr items(Oid oid = 501, const std::string& name = "items") {
  return make_table(oid, {"shop", name},
                    {key_column("id", bigint_type()), column("a", text_type())});
}

Column with_missing(const std::string& name, ColumnType type, const std::string& missing) {
  Column result = column(name, std::move(type));
  result.missing = missing;
  return result;
}

TEST_P(TableContract, ADroppedColumnGoesOfAllRows) {
  const TablePtr narrow = make_table(502, {"shop", "wide"},
                                     {key_column("id", bigint_type()), column("c", text_type())});
  const TablePtr wide = make_table(
      502, {"shop", "wide"},
      {key_column("id", bigint_type()), column("b", text_type()), column("c", text_type())});
  load({staged(LayerBuilder(wide).create().insert({"1", "b1", "c1"}).insert({"2", "b2", "c2"}))});
  // Rows of the old shape and the new one in one batch, with an update before the drop.
  load({staged(LayerBuilder(wide).replace({"1"}, {"1", "b", "c"})),
        staged(LayerBuilder(narrow).drop_column("b").insert({"3", "c3"}).remove({"2"}))});
  EXPECT_EQ(select("SELECT * FROM shop.wide ORDER BY id"), (Rows{"1|c", "3|c3"}));
  const TablePtr key_only = make_table(502, {"shop", "wide"}, {key_column("id", bigint_type())});
  load({staged(LayerBuilder(key_only).drop_column("c").remove({"3"}).insert({"4"}))});
  EXPECT_EQ(select("SELECT * FROM shop.wide ORDER BY id"), (Rows{"1", "4"}));
  EXPECT_EQ(state_of("wide"), "live|NULL");
}

TEST_P(TableContract, AnAddedColumnGivesOlderRowsTheirValue) {
  const TablePtr before = items();
  const TablePtr with_b = with_column(before, with_missing("b", text_type(), "it's"));
  const TablePtr with_c = with_column(with_b, column("c", bigint_type()));
  load({staged(LayerBuilder(before).create().insert({"1", "x"}))});
  load({staged(LayerBuilder(with_b).add_column("b").insert({"2", "x", std::nullopt})),
        staged(LayerBuilder(with_c).add_column("c").insert({"3", "x", "y", "7"}))});
  EXPECT_EQ(select("SELECT * FROM shop.items"),
            (Rows{"1|x|it's|NULL", "2|x|NULL|NULL", "3|x|y|7"}));
  EXPECT_EQ(state_of("items"), "live|NULL");
}

TEST_P(TableContract, ColumnsAreAddedAfterRowsWereChangedInTheSameBatch) {
  const TablePtr before = items();
  const TablePtr with_b = with_column(
      before, with_missing("b", type_of(1700, "numeric(10,2)", (10 << 16 | 2) + 4), "1.50"));
  const TablePtr with_c =
      with_column(with_b, with_missing("c", type_of(1082, "date"), "0044-03-15 BC"));
  const TablePtr with_d = with_column(with_c, column("d", text_type()));
  load({staged(
      LayerBuilder(before).create().insert({"1", "x"}).insert({"2", "x"}).insert({"3", "x"}))});
  const LoadReport report = load(
      {staged(LayerBuilder(before).remove({"1"})),
       staged(LayerBuilder(with_b).add_column("b").update({"2"}, "111", {"2", "u", "2.25"})),
       staged(LayerBuilder(with_c).add_column("c").truncate().insert(
           {"4", "n", "3.00", std::nullopt})),
       staged(LayerBuilder(with_d).add_column("d").insert({"5", "n", "4.00", std::nullopt, "d"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.items"), (Rows{"4|n|3.00|NULL|NULL", "5|n|4.00|NULL|d"}));
  load({staged(LayerBuilder(with_d).replace({"4"}, {"4", "z", "0.01", "2026-01-01", ""}))});
  EXPECT_EQ(select("SELECT * FROM shop.items"), (Rows{"4|z|0.01|2026-01-01|", "5|n|4.00|NULL|d"}));
}

TEST_P(TableContract, AShapeIsKnownAfterARestart) {
  const TablePtr table = with_column(items(), with_missing("b", text_type(), "m"));
  load({staged(LayerBuilder(table).create().insert({"1", "x", "y"}))});
  warehouse_ = open();
  const TargetState state = warehouse_->take_over(test_origin(), unknown_before(), {});
  EXPECT_EQ(state.loaded, loaded_);
  ASSERT_EQ(state.tables.size(), 1U);
  EXPECT_EQ(state.tables[0].schema, *table);
  EXPECT_EQ(state.tables[0].state, TableState::Live);
}

TEST_P(TableContract, ASchemaIsStoredWithoutRows) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  TableSchema told = *items();
  told.publication = Publishing{{1, 700}, {{11, 4'000'000'000}}};
  load({staged(LayerBuilder(std::make_shared<TableSchema>(told)).store_schema())});
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
  warehouse_ = open();
  const TargetState state = warehouse_->take_over(test_origin(), unknown_before(), {});
  ASSERT_EQ(state.tables.size(), 1U);
  EXPECT_EQ(state.tables[0].schema, told);
  EXPECT_EQ(state.tables[0].state, TableState::Live);
}

TEST_P(TableContract, OddNamesAreNames) {
  const TablePtr table =
      make_table(503, {"My \"Shop\"", "Select * from x; --"},
                 {key_column("Order by", bigint_type()), column("it's \"a\" {}", text_type()),
                  column("rowid", text_type()), column("größe", text_type())});
  load({staged(LayerBuilder(table).create().insert({"1", "a", "b", "c"}))});
  load({staged(LayerBuilder(with_column(table, with_missing("from", text_type(), "{}")))
                   .add_column("from")
                   .update({"1"}, "10101", {"2", std::nullopt, "r", std::nullopt, "f"}))});
  EXPECT_EQ(select("SELECT \"Order by\", \"it's \"\"a\"\" {}\", \"rowid\", \"größe\", \"from\" "
                   "FROM \"My \"\"Shop\"\"\".\"Select * from x; --\""),
            Rows{"2|a|r|c|f"});
}

TEST_P(TableContract, OneTablesTroubleStaysItsOwn) {
  const TablePtr good = items(501, "good");
  const TablePtr bad = items(502, "bad");
  load({staged(LayerBuilder(good).create().insert({"1", "x"})),
        staged(LayerBuilder(bad).create().insert({"1", "x"}))});
  const Lsn before = loaded_;
  const LoadReport report =
      load({staged(LayerBuilder(good).remove({"1"})), staged(LayerBuilder(bad).insert({"2", "x"})),
            staged(LayerBuilder(bad).remove({"1"}).remove({"7"})),
            staged(LayerBuilder(good).insert({"3", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, 502U);
  EXPECT_EQ(report.set_aside[0].table, bad->name);
  EXPECT_EQ(report.set_aside[0].position, before);
  EXPECT_NE(report.set_aside[0].reason.find("1 rows where 2 were staged"), std::string::npos);
  EXPECT_EQ(report.rows, 2U);
  EXPECT_EQ(select("SELECT * FROM shop.good"), Rows{"3|x"});
  EXPECT_EQ(select("SELECT * FROM shop.bad"), Rows{"1|x"});
  EXPECT_EQ(state_of("bad"), "waiting|" + report.set_aside[0].reason);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);

  load({staged(LayerBuilder(bad).insert({"9", "x"})),
        staged(LayerBuilder(good).insert({"4", "x"}))});
  EXPECT_EQ(select("SELECT * FROM shop.bad"), Rows{"1|x"});
  EXPECT_EQ(select("SELECT * FROM shop.good"), (Rows{"3|x", "4|x"}));
  warehouse_ = open();
  for (const TargetTable& table :
       warehouse_->take_over(test_origin(), unknown_before(), {}).tables) {
    EXPECT_EQ(table.state == TableState::Live, table.schema.oid == 501);
    EXPECT_EQ(table.position, table.state == TableState::Live ? loaded_ : before);
  }
}

TEST_P(TableContract, RowsThatAreMissingInTheTargetSetTheTableAside) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}).insert({"2", "x"}))});
  target_->execute("DELETE FROM shop.items WHERE id = 2");
  EXPECT_EQ(load({staged(LayerBuilder(items()).update({"2"}, "11", {"2", "y"}))}).set_aside.size(),
            1U);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
}

TEST_P(TableContract, AFileWithOtherRowsThanItsManifestSetsTheTableAside) {
  StagedLayer layer = staged(LayerBuilder(items()).create().insert({"1", "x"}).insert({"2", "x"}));
  layer.files[0].rows = 3;
  layer.counts.inserts = 3;
  const LoadReport report = load({layer});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_NE(report.set_aside[0].reason.find("2 rows where 3 were staged"), std::string::npos);
}

TEST_P(TableContract, AValueTheTargetCannotHoldNamesItsColumnAndNoValue) {
  const TablePtr table = make_table(504, {"shop", "moments"},
                                    {key_column("id", bigint_type()),
                                     column("at", type_of(1114, "timestamp without time zone"))});
  const LoadReport report = load({staged(LayerBuilder(table)
                                             .create()
                                             .insert({"1", "294276-12-31 23:59:59.999999"})
                                             .insert({"2", "2026-01-01 00:00:00"})),
                                  staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  const std::string& reason = report.set_aside[0].reason;
  EXPECT_NE(reason.find("column \"at\" (timestamp without time zone) has 1 value "),
            std::string::npos)
      << reason;
  EXPECT_EQ(reason.find("294276"), std::string::npos);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
}

TEST_P(TableContract, ANumberThatIsNoneSetsItsTableAside) {
  const TablePtr table = make_table(
      504, {"shop", "prices"},
      {key_column("id", bigint_type()), column("price", type_of(1700, "numeric(10,2)", 655366))});
  load({staged(LayerBuilder(table).create().insert({"1", "1.50"}))});
  const LoadReport report = load({staged(LayerBuilder(table).update({"1"}, "11", {"1", "NaN"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  const std::string& reason = report.set_aside[0].reason;
  EXPECT_NE(reason.find("column \"price\" (numeric(10,2)) has 1 value "), std::string::npos)
      << reason;
  EXPECT_EQ(reason.find("NaN"), std::string::npos);
  EXPECT_EQ(select("SELECT * FROM shop.prices"), Rows{"1|1.50"});
}

TEST_P(TableContract, ATableThatIsNotOursIsLeftAlone) {
  taken();
  target_->execute("CREATE SCHEMA shop");
  target_->execute("CREATE TABLE shop.\"ITEMS\" (theirs INTEGER)");
  const LoadReport report = load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_NE(report.set_aside[0].reason.find("a table of that name is already in the target"),
            std::string::npos);
  EXPECT_EQ(select("SELECT count(*) FROM shop.\"ITEMS\""), Rows{"0"});
}

TEST_P(TableContract, LayersOfATableThatTheFoldSetsAsideAreVoid) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  const Lsn position{loaded_.value + 50};
  const LoadReport report = load({staged(LayerBuilder(items()).insert({"2", "x"}))},
                                 {{501, {"shop", "items"}, "a column was dropped", position},
                                  {777, {"shop", "unknown"}, "it was not empty", position}});
  EXPECT_EQ(report.set_aside.size(), 2U);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
  EXPECT_EQ(state_of("items"), "set aside|a column was dropped");
  EXPECT_EQ(state_of("unknown"), "set aside|it was not empty");
}

TEST_P(TableContract, RowsOfATableThatWasNeverCreatedSetItAside) {
  EXPECT_EQ(load({staged(LayerBuilder(items()).insert({"1", "x"}))}).set_aside.size(), 1U);
}

TEST_P(TableContract, ATargetOfAnotherShapeIsSetAsideAtTakeOver) {
  load({staged(LayerBuilder(items(501, "wider")).create().insert({"1", "x"})),
        staged(LayerBuilder(items(502, "narrower")).create().insert({"1", "x"})),
        staged(LayerBuilder(items(503, "other")).create().insert({"1", "1"})),
        staged(LayerBuilder(items(504, "gone")).create().insert({"1", "x"})),
        staged(LayerBuilder(items(505, "same")).create().insert({"1", "x"}))});
  target_->execute("ALTER TABLE shop.wider ADD COLUMN z INTEGER");
  target_->execute("ALTER TABLE shop.narrower DROP COLUMN a");
  target_->execute("ALTER TABLE shop.other ALTER COLUMN a TYPE INTEGER");
  target_->execute("DROP TABLE shop.gone");
  warehouse_ = open();
  for (const TargetTable& table :
       warehouse_->take_over(test_origin(), unknown_before(), {}).tables) {
    EXPECT_EQ(table.state == TableState::Live, table.schema.oid == 505) << table.schema.name.name;
    EXPECT_EQ(table.position, loaded_);
  }
  EXPECT_NE(state_of("wider").find("column \"z\""), std::string::npos);
  EXPECT_NE(state_of("narrower").find("column \"a\" is missing"), std::string::npos);
  EXPECT_NE(state_of("other").find("INTEGER"), std::string::npos);
  EXPECT_NE(state_of("gone").find("no longer in the target"), std::string::npos);
}

TEST_P(TableContract, ATableThatBecameAViewIsSetAside) {
  const auto create = [&](Oid oid, const std::string& name) {
    return staged(LayerBuilder(items(oid, name)).create().insert({"1", "x"}));
  };
  load({create(501, "items"), create(502, "broken"), create(503, "later")});
  const auto replace = [&](const std::string& name) {
    target_->execute("CREATE TABLE shop.fine AS SELECT * FROM shop." + name);
    target_->execute("DROP TABLE shop." + name);
    target_->execute("CREATE VIEW shop." + name + " AS SELECT * FROM shop.fine");
    target_->execute("DROP TABLE shop.fine");
  };
  replace("broken");
  warehouse_ = open();
  EXPECT_EQ(warehouse_->take_over(test_origin(), unknown_before(), {}).tables.size(), 3U);
  EXPECT_NE(state_of("broken").find("VIEW"), std::string::npos) << state_of("broken");
  replace("later");
  const LoadReport report = load({staged(LayerBuilder(items(503, "later")).insert({"2", "x"})),
                                  staged(LayerBuilder(items()).insert({"2", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, 503U);
  EXPECT_EQ(state_of("items"), "live|NULL");
  EXPECT_EQ(select("SELECT count(*) FROM shop.items"), Rows{"2"});
}

TEST_P(TableContract, AShapeChangedBetweenTwoLoadsSetsTheTableAside) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  target_->execute("ALTER TABLE shop.items ADD COLUMN z INTEGER");
  EXPECT_EQ(load({staged(LayerBuilder(items()).insert({"2", "x"}))}).set_aside.size(), 1U);
}

TEST_P(TableContract, AllTablesGoIntoTheSchemaThatIsConfigured) {
  warehouse_ = open("Mirror");
  warehouse_->take_over(test_origin(), unknown_before(), {});
  const TablePtr twin = make_table(502, {"other", "items"}, items()->columns);
  const LoadReport report = load({staged(LayerBuilder(items()).create().insert({"1", "x"})),
                                  staged(LayerBuilder(twin).create().insert({"2", "x"}))});
  EXPECT_EQ(select("SELECT * FROM \"Mirror\".items"), Rows{"1|x"});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, 502U);
}

}  // namespace
}  // namespace re_dms::testing::contract_tables_test
