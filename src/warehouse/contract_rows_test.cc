// What rows do to a table: the contract of Warehouse::load for one table.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "warehouse/testing/contract.h"

namespace re_dms::testing::contract_rows_test {

namespace {

TablePtr items() {
  return make_table(501, {"shop", "items"},
                    {key_column("id", bigint_type()), column("a", text_type()),
                     column("b", text_type()), column("c", text_type())});
}

constexpr auto kAll = "SELECT * FROM shop.items";

TEST_P(WarehouseContract, InsertsLandInANewTable) {
  const LoadReport report = load({staged(LayerBuilder(items())
                                             .create()
                                             .insert({"1", "x", "y", "z"})
                                             .insert({"2", std::nullopt, "", "\\N"}))});
  EXPECT_EQ(report.rows, 2U);
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(select(kAll), (Rows{"1|x|y|z", "2|NULL||\\N"}));
  EXPECT_EQ(select("SELECT id FROM shop.items WHERE a IS NULL AND b = '' AND c = '\\N'"),
            Rows{"2"});
}

TEST_P(WarehouseContract, TextsArriveByteForByte) {
  const TextRow texts = {"1", "a,b\"c\"\n\r\n\r", "\xEF\xBB\xBF é 😀 \\ ' \t",
                         std::string(300000, 'q')};
  load({staged(LayerBuilder(items()).create().insert(texts))});
  EXPECT_EQ(select(kAll), (Rows{fmt::format("1|{}|{}|{}", *texts[1], *texts[2], *texts[3])}));
  load({staged(LayerBuilder(items()).replace({"1"}, {"1", texts[2], texts[1], ""}))});
  EXPECT_EQ(select(kAll), (Rows{fmt::format("1|{}|{}|", *texts[2], *texts[1])}));
}

TEST_P(WarehouseContract, MasksOfEverySubsetChangeWhatTheyCarry) {
  LayerBuilder first(items());
  first.create();
  LayerBuilder second(items());
  Rows expected;
  for (int subset = 0; subset < 8; ++subset) {
    const std::string id = std::to_string(subset);
    first.insert({id, "a", "b", "c"});
    std::string mask = "1";
    TextRow values{id};
    std::string line = id;
    for (int column = 0; column < 3; ++column) {
      const bool carried = ((subset >> column) & 1) != 0;
      mask += carried ? '1' : '0';
      const Text value = column == 1 ? Text() : Text("new");
      values.push_back(carried ? value : Text());
      line += "|" + (carried ? value.value_or("NULL") : std::string(1, "abc"[column]));
    }
    second.update({id}, mask, values);
    expected.push_back(line);
  }
  load({staged(first)});
  EXPECT_EQ(load({staged(second)}).rows, 8U);
  EXPECT_EQ(select(kAll), expected);
}

TEST_P(WarehouseContract, UpdatesThatAllCarryTheSameColumns) {
  load({staged(
      LayerBuilder(items()).create().insert({"1", "a", "b", "c"}).insert({"2", "a", "b", "c"}))});
  load({staged(LayerBuilder(items())
                   .update({"1"}, "1100", {"1", "x", std::nullopt, std::nullopt})
                   .update({"2"}, "1100", {"2", std::nullopt, std::nullopt, std::nullopt}))});
  EXPECT_EQ(select(kAll), (Rows{"1|x|b|c", "2|NULL|b|c"}));
}

TEST_P(WarehouseContract, AnUpdateThatCarriesOnlyItsKeyIsCounted) {
  load({staged(LayerBuilder(items()).create().insert({"1", "a", "b", "c"}))});
  EXPECT_TRUE(load({staged(LayerBuilder(items()).update({"1"}, "1000", {"1"}))}).set_aside.empty());
  EXPECT_EQ(load({staged(LayerBuilder(items()).update({"9"}, "1000", {"9"}))}).set_aside.size(),
            1U);
  EXPECT_EQ(select(kAll), Rows{"1|a|b|c"});
}

TEST_P(WarehouseContract, ReplaceAndDeleteMatchTheOriginKey) {
  load({staged(LayerBuilder(items())
                   .create()
                   .insert({"1", "a", "b", "c"})
                   .insert({"2", "a", "b", "c"})
                   .insert({"3", "a", "b", "c"}))});
  const LoadReport report = load({staged(LayerBuilder(items())
                                             .replace({"1"}, {"10", "n", std::nullopt, ""})
                                             .remove({"2"})
                                             .insert({"4", "i", "i", "i"}))});
  EXPECT_EQ(report.rows, 3U);
  EXPECT_EQ(select(kAll), (Rows{"10|n|NULL|", "3|a|b|c", "4|i|i|i"}));
}

TEST_P(WarehouseContract, KeysSwapAndMoveInCircles) {
  LayerBuilder first(items());
  first.create();
  for (int id = 1; id <= 6; ++id) {
    first.insert({std::to_string(id), fmt::format("a{}", id), fmt::format("b{}", id), "c"});
  }
  load({staged(first)});
  // 1 and 2 change places with b kept; 3 → 4 → 5 → 3 goes round; 6 goes where nobody is.
  const LoadReport report =
      load({staged(LayerBuilder(items())
                       .update({"1"}, "1101", {"2", "x", std::nullopt, "n"})
                       .update({"2"}, "1001", {"1", std::nullopt, std::nullopt, "n"})
                       .replace({"3"}, {"4", "r", "r", "r"})
                       .update({"4"}, "1110", {"5", "u", "u", std::nullopt})
                       .update({"5"}, "1000", {"3"})
                       .update({"6"}, "1000", {"60"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(select(kAll),
            (Rows{"1|a2|b2|n", "2|x|b1|n", "3|a5|b5|c", "4|r|r|r", "5|u|u|c", "60|a6|b6|c"}));
}

TEST_P(WarehouseContract, ADeletedKeyIsTakenByAnotherRow) {
  load({staged(
      LayerBuilder(items()).create().insert({"1", "a", "b", "c"}).insert({"2", "a", "b", "c"}))});
  load({staged(LayerBuilder(items())
                   .remove({"2"})
                   .update({"1"}, "1100", {"2", "moved", std::nullopt, std::nullopt})
                   .insert({"1", "fresh", "", std::nullopt}))});
  EXPECT_EQ(select(kAll), (Rows{"1|fresh||NULL", "2|moved|b|c"}));
}

TEST_P(WarehouseContract, TruncateEmptiesBeforeTheLayersRowsCome) {
  load({staged(LayerBuilder(items()).create().insert({"1", "a", "b", "c"}))});
  load({staged(LayerBuilder(items()).insert({"2", "a", "b", "c"})),
        staged(LayerBuilder(items()).truncate().insert({"3", "a", "b", "c"})),
        staged(LayerBuilder(items()).replace({"3"}, {"3", "z", "b", "c"}))});
  EXPECT_EQ(select(kAll), Rows{"3|z|b|c"});
  load({staged(LayerBuilder(items()).truncate())});
  EXPECT_EQ(select(kAll), Rows{});
}

TEST_P(WarehouseContract, CompositeKeysMatchInAllTheirColumns) {
  const TablePtr table = make_table(502, {"shop", "lines"},
                                    {key_column("order", bigint_type()),
                                     column("note", text_type()), key_column("line", text_type())});
  load({staged(LayerBuilder(table)
                   .create()
                   .insert({"1", "n", "a"})
                   .insert({"1", "n", "a "})
                   .insert({"2", "n", "a"}))});
  load({staged(LayerBuilder(table)
                   .remove({"1", "a"})
                   .update({"2", "a"}, "101", {"1", std::nullopt, "a"})
                   .replace({"1", "a "}, {"2", "r", "a"}))});
  EXPECT_EQ(select("SELECT * FROM shop.lines"), (Rows{"1|n|a", "2|r|a"}));
}

TEST_P(WarehouseContract, ManyFilesOfOneLayerAreOneLayer) {
  LayerBuilder first(items());
  LayerBuilder second(items());
  first.create();
  for (int id = 0; id < 100; ++id) {
    const std::string key = std::to_string(id);
    first.insert({key, "a", "b", "c"});
    second.update({key}, "1100",
                  {std::to_string((id + 1) % 100), "a" + key, std::nullopt, std::nullopt});
  }
  load({first.build(directory_.string(), 7)});
  EXPECT_TRUE(load({second.build(directory_.string(), 7)}).set_aside.empty());
  EXPECT_EQ(
      select(
          "SELECT count(*), count(DISTINCT id) FROM shop.items WHERE a = 'a' || (id + 99) % 100"),
      Rows{"100|100"});
}

TEST_P(WarehouseContract, IntervalsOfEqualLengthStayApart) {
  const ColumnType interval = type_of(1186, "interval");
  const TablePtr table =
      make_table(502, {"shop", "spans"}, {key_column("span", interval), column("note", interval)});
  load({staged(
      LayerBuilder(table).create().insert({"1 mon", "1 mon"}).insert({"2 days", "1 day"}))});
  const LoadReport report = load({staged(LayerBuilder(table)
                                             .update({"1 mon"}, "10", {"30 days"})
                                             .update({"2 days"}, "11", {"48:00:00", "24:00:00"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.spans"), (Rows{"30 days|1 mon", "48:00:00|24:00:00"}));
}

TEST_P(WarehouseContract, ValuesThatOnlyLookEqualAreReplaced) {
  const TablePtr table =
      make_table(509, {"shop", "near"},
                 {key_column("id", bigint_type()), column("d", type_of(701, "double precision")),
                  column("i", type_of(1186, "interval")), column("n", type_of(1700, "numeric"))});
  load({staged(LayerBuilder(table)
                   .create()
                   .insert({"1", "0", "1 mon", "1.0"})
                   .insert({"2", "0", "1 mon", "1.0"}))});
  const Rows before = select("SELECT * FROM shop.near WHERE id = 2");
  load({staged(LayerBuilder(table)
                   .replace({"1"}, {"1", "-0", "30 days", "1.00"})
                   .insert({"3", "-0", "30 days", "1.00"}))});
  EXPECT_EQ(select("SELECT d, i, n FROM shop.near WHERE id = 1"),
            select("SELECT d, i, n FROM shop.near WHERE id = 3"));
  EXPECT_EQ(select("SELECT * FROM shop.near WHERE id = 2"), before);
}

TEST_P(WarehouseContract, AFewRowsOfASmallTableAreReplacedUpdatedAndMovedAtOnce) {
  const TablePtr table = make_table(
      510, {"shop", "small"},
      {key_column("id", bigint_type()), column("a", text_type()), column("b", text_type())});
  LayerBuilder rows(table);
  rows.create();
  for (int id = 1; id <= 6; ++id) {
    rows.insert({std::to_string(id), "a", std::nullopt});
  }
  load({staged(rows)});
  load({staged(LayerBuilder(table)
                   .replace({"1"}, {"2", "r", "x"})
                   .replace({"2"}, {"1", std::nullopt, "y"})
                   .update({"3"}, "010", {std::nullopt, "u", std::nullopt})
                   .update({"4"}, "101", {"5", std::nullopt, "v"})
                   .remove({"5"})
                   .insert({"4", "new", std::nullopt}))});
  EXPECT_EQ(select("SELECT * FROM shop.small"),
            (Rows{"1|NULL|y", "2|r|x", "3|u|NULL", "4|new|NULL", "5|a|v", "6|a|NULL"}));
}

TEST_P(WarehouseContract, TheOnlyRowIsUpdated) {
  load({staged(LayerBuilder(items())
                   .create()
                   .insert({"1", "a", std::nullopt, "c"})
                   .insert({"2", "it's", "b", "c"}))});
  const auto update = [&](const LayerBuilder& row) {
    EXPECT_TRUE(load({staged(row)}).set_aside.empty());
    return select(kAll);
  };
  EXPECT_EQ(update(LayerBuilder(items()).replace({"1"}, {"1", "it's", "\\N", std::nullopt})),
            (Rows{"1|it's|\\N|NULL", "2|it's|b|c"}));
  EXPECT_EQ(update(LayerBuilder(items()).update({"2"}, "1011", {"3", std::nullopt, "", "it's"})),
            (Rows{"1|it's|\\N|NULL", "3|it's||it's"}));
  EXPECT_EQ(update(LayerBuilder(items()).replace({"3"}, {"4", "a", std::nullopt, "it's"})),
            (Rows{"1|it's|\\N|NULL", "4|a|NULL|it's"}));
}

TEST_P(WarehouseContract, BytesThatReadLikeOthersAreReplaced) {
  const TablePtr table =
      make_table(511, {"shop", "files"},
                 {key_column("id", bigint_type()), column("b", type_of(17, "bytea")),
                  column("j", type_of(3802, "jsonb")), column("same", type_of(17, "bytea"))});
  load({staged(LayerBuilder(table).create().insert({"1", "\\x003631", "{\"a\": 1}", "\\x00"}))});
  load({staged(LayerBuilder(table).replace({"1"}, {"1", "\\x0061", "{\"a\": 1.0}", "\\x00"}))});
  load({staged(LayerBuilder(table).insert({"2", "\\x0061", "{\"a\": 1.0}", "\\x00"}))});
  EXPECT_EQ(select("SELECT count(DISTINCT (b, j, same)), count(*) FROM shop.files"), Rows{"1|2"});
}

TEST_P(WarehouseContract, RowsThatAreNotOnceInTheTargetSetItsTableAside) {
  for (const char* key : {"1", "9"}) {
    const Oid oid = key[0] == '1' ? 502 : 503;
    const TablePtr table = make_table(oid, {"shop", fmt::format("t{}", oid)}, items()->columns);
    const std::string name = fmt::format("shop.t{}", oid);
    load({staged(LayerBuilder(table).create().insert({"1", "a", "b", "c"}))});
    target_->execute(fmt::format("INSERT INTO {0} SELECT * FROM {0}", name));
    const LoadReport report =
        load({staged(LayerBuilder(table).replace({key}, {key, "x", "x", "x"}))});
    ASSERT_EQ(report.set_aside.size(), 1U);
    EXPECT_THAT(report.set_aside[0].reason,
                ::testing::HasSubstr(
                    fmt::format("UPDATE found {} rows where 1 were staged", oid == 502 ? 2 : 0)));
    EXPECT_EQ(select("SELECT * FROM " + name), (Rows{"1|a|b|c", "1|a|b|c"}));
  }
}

TEST_P(WarehouseContract, AFileWithOtherOperationsThanCountedIsRefused) {
  for (const std::uint64_t rows : {1, 2}) {
    const Oid oid = 501 + static_cast<Oid>(rows);
    const TablePtr table = make_table(oid, {"shop", fmt::format("t{}", oid)}, items()->columns);
    LayerBuilder inserts(table);
    inserts.create();
    LayerBuilder replaced(table);
    for (std::uint64_t id = 1; id <= rows; ++id) {
      inserts.insert({std::to_string(id), "a", "b", "c"});
      replaced.replace({std::to_string(id)}, {std::to_string(id), "x", "x", "x"});
    }
    load({staged(inserts)});
    const std::string all = fmt::format("SELECT * FROM shop.t{}", oid);
    const Rows before = select(all);
    StagedLayer layer = staged(replaced);
    layer.counts.replaces -= 1;
    layer.counts.updates += 1;
    layer.updated_columns.assign(table->columns.size(), true);
    const LoadReport report = load({layer});
    ASSERT_EQ(report.set_aside.size(), 1U);
    EXPECT_THAT(report.set_aside[0].reason, ::testing::HasSubstr("other operations"));
    EXPECT_EQ(select(all), before);
  }
}

TEST_P(WarehouseContract, AFileWithOtherColumnsThanItsTableIsRefused) {
  Oid oid = 601;
  for (const std::string_view csv : {"U,0100,1,\\N,\"x\",\\N\n", "U,010,1,\\N,\"x\",\\N,\\N\n",
                                     "U,\\N,1,\\N,\"x\",\\N,\\N\n", "U\n"}) {
    ++oid;
    const TablePtr table = make_table(oid, {"shop", fmt::format("t{}", oid)}, items()->columns);
    load({staged(LayerBuilder(table).create().insert({"1", "a", "b", "c"}))});
    StagedLayer layer = staged(LayerBuilder(table).update({"1"}, "0100", {{}, "x", {}, {}}));
    layer.files = {write_csv((directory_ / fmt::format("other{}", oid)).string(), csv, 1)};
    EXPECT_EQ(load({layer}).set_aside.size(), 1U) << csv;
    EXPECT_EQ(select(fmt::format("SELECT * FROM shop.t{}", oid)), (Rows{"1|a|b|c"}));
  }
}

}  // namespace
}  // namespace re_dms::testing::contract_rows_test
