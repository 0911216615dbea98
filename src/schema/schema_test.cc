#include <gtest/gtest.h>

#include "base/error.h"
#include "schema/catalog_json.h"
#include "schema/versions.h"

namespace re_dms {
namespace {

Column column(std::string name, std::int16_t attnum, Oid type, bool key = false) {
  Column made;
  made.name = std::move(name);
  made.attnum = attnum;
  made.type = {type, -1, "type", 'b', type, -1, 0};
  made.key = key;
  return made;
}

TableSchema sample() {
  TableSchema table;
  table.oid = 16384;
  table.name = {"public", "orders"};
  table.columns = {column("id", 1, 23, true), column("note", 3, 25)};
  return table;
}

Relation relation_of(const TableSchema& table) {
  Relation relation{table.oid, table.name, table.identity, {}};
  for (const Column& each : table.columns) {
    relation.columns.push_back({each.name, each.type.oid, each.type.typmod, each.key});
  }
  return relation;
}

template <typename V>
std::string refusal(const V& answer) {
  const auto* refused = std::get_if<Refusal>(&answer);
  return refused == nullptr ? "" : refused->reason;
}

TEST(CatalogJson, ComesBackAsItWentIn) {
  TableSchema table = sample();
  table.columns[1].missing = "it's \"{x}\"";
  table.columns[1].default_not_stored = true;
  EXPECT_EQ(table_schema_from_json(to_json(table)), table);
  const auto tables = catalog_from_json(catalog_to_json({{table, true}}));
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].schema, table);
  EXPECT_TRUE(tables[0].admitted);
}

TEST(CatalogJson, RefusesWhatItDidNotWrite) {
  EXPECT_THROW(table_schema_from_json("{"), Error);
  EXPECT_THROW(table_schema_from_json("{}"), Error);
  EXPECT_THROW(catalog_from_json("{\"a\":1}"), Error);
}

TEST(CatalogJson, RefusesNumbersOutOfTheirRange) {
  std::string json = to_json(sample());
  const std::size_t at = json.find("\"attnum\":1");
  ASSERT_NE(at, std::string::npos);
  for (const char* number : {"70000", "-40000", "1.5", "1e300", "\"1\""}) {
    std::string changed = json;
    EXPECT_THROW(table_schema_from_json(changed.replace(at + 9, 1, number)), Error) << number;
  }
}

TEST(CompleteSchema, TakesAttributeNumbersFromACatalogThatIsAhead) {
  TableSchema catalog = sample();
  catalog.columns.push_back(column("later", 4, 25));
  const auto made = complete_schema(relation_of(sample()), &catalog, nullptr);
  EXPECT_EQ(std::get<TableSchema>(made), sample());
}

TEST(CompleteSchema, FallsBackToThePreviousVersionWhenTheCatalogMovedOn) {
  TableSchema catalog = sample();
  catalog.columns[1].name = "renamed";
  const TableSchema previous = sample();
  EXPECT_EQ(std::get<TableSchema>(complete_schema(relation_of(sample()), &catalog, &previous)),
            sample());
  EXPECT_NE(refusal(complete_schema(relation_of(sample()), &catalog, nullptr)), "");
}

TEST(CompareSchemas, FindsAddedColumnsWithTheirMissingValue) {
  TableSchema after = sample();
  after.columns.push_back(column("extra", 4, 23));
  after.columns.back().missing = "7";
  const auto changes = std::get<std::vector<SchemaChange>>(compare_schemas(sample(), after));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<AddColumn>(changes[0]).column, after.columns.back());
  EXPECT_TRUE(std::get<std::vector<SchemaChange>>(compare_schemas(sample(), sample())).empty());
}

TEST(CompareSchemas, RefusesWhatItCannotFollow) {
  TableSchema replaced = sample();
  replaced.columns[1].attnum = 4;  // dropped and added again: the Relation message is identical
  EXPECT_NE(refusal(compare_schemas(sample(), replaced)), "");
  TableSchema dropped = sample();
  dropped.columns.pop_back();
  EXPECT_NE(refusal(compare_schemas(sample(), dropped)), "");
  TableSchema renamed = sample();
  renamed.columns[1].name = "comment";
  EXPECT_NE(refusal(compare_schemas(sample(), renamed)), "");
  TableSchema retyped = sample();
  retyped.columns[1].type.oid = 1043;
  EXPECT_NE(refusal(compare_schemas(sample(), retyped)), "");
  TableSchema volatile_default = sample();
  volatile_default.columns.push_back(column("stamp", 4, 1184));
  volatile_default.columns.back().default_not_stored = true;
  EXPECT_NE(refusal(compare_schemas(sample(), volatile_default)), "");
}

}  // namespace
}  // namespace re_dms
