#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "schema/catalog_json.h"
#include "schema/versions.h"

namespace re_dms::schema_test {
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
  table.history = {table.oid, 3, 2};
  return table;
}

/// Of these attributes, in an array.
TypeParts composite(const std::vector<std::string>& names) {
  TypeParts type{.kind = TypeParts::Kind::Composite, .oid = 70000};
  for (const std::string& name : names) {
    const auto attnum = static_cast<std::int16_t>(type.parts.size() + 1);
    type.parts.push_back({.oid = 25, .name = name, .attnum = attnum});
  }
  return {.kind = TypeParts::Kind::Array, .oid = 70001, .delimiter = ';', .parts = {type}};
}

/// The sample with one more column, as the catalog shows it.
TableSchema with_column(std::string name, std::int16_t attnum, Oid file_node) {
  TableSchema table = sample();
  table.columns.push_back(column(std::move(name), attnum, 23));
  table.history.file_node = file_node;
  table.history.last_attnum = attnum;
  return table;
}

auto compare_with_sample(const TableSchema& after) {
  return compare_schemas(sample(), sample().history, after, &after);
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
  table.columns[1].type.target = "varchar(100)";
  table.columns[1].type.parts = SharedParts(composite({"a", "\"b\""}));
  table.history = {4294967295, 7, 6};
  EXPECT_EQ(table_schema_from_json(to_json(table)), table);
  CatalogTable entry{table, true, Lsn{0x1F0000ABCD}, PrimaryKey{16390, {3, 1}}};
  entry.schema.publication = Publishing{{16400, 4294967295}, {{16401, 731}, {16380, 3}}};
  const auto tables = catalog_from_json(catalog_to_json({entry}));
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].schema, entry.schema);
  EXPECT_TRUE(tables[0].admitted);
  EXPECT_EQ(tables[0].asked_at, entry.asked_at);
  EXPECT_EQ(tables[0].primary_key, entry.primary_key);
  EXPECT_FALSE(tables[0].unsent_key);
  entry.unsent_key = true;
  EXPECT_TRUE(catalog_from_json(catalog_to_json({entry}))[0].unsent_key);
  EXPECT_EQ(table_schema_from_json(to_json(entry.schema)), entry.schema);
}

TEST(CatalogJson, ColumnsOfOneTypeShareItsParts) {
  TableSchema table = sample();
  for (const char* const name : {"b", "b", "c"}) {
    Column& added = table.columns.emplace_back(
        column(name, static_cast<std::int16_t>(table.columns.size() + 2), 70001));
    added.type.parts = SharedParts(composite({name}));
  }
  const TableSchema read = table_schema_from_json(to_json(table));
  EXPECT_EQ(read, table);
  const auto parts = [&](std::size_t index) { return &*read.columns[index].type.parts; };
  EXPECT_EQ(parts(2), parts(3));
  EXPECT_NE(parts(2), parts(4)) << "of the same type at another time";
}

TEST(CatalogJson, WhatATargetKeepsStandsBesideTheSchema) {
  const BesideSchema beside = {{"old", "it's \"x\""}, {"shop", "re_dms_copy_1"}, true, true};
  const std::string json = to_json(sample(), beside);
  EXPECT_EQ(table_schema_from_json(json), sample());
  EXPECT_EQ(beside_schema_from_json(json), beside);
  EXPECT_EQ(beside_schema_from_json(to_json(sample())), BesideSchema());
}

TEST(CatalogJson, ReadsWhatEarlierVersionsWrote) {
  const auto tables = catalog_from_json(
      R"([{"oid":16384,"schema":"public","table":"t","identity":"d","columns":[],"admitted":true}])");
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_FALSE(tables[0].asked_at.known());
  EXPECT_EQ(tables[0].primary_key, std::nullopt);
  EXPECT_EQ(tables[0].schema.publication, std::nullopt);
}

TEST(CatalogJson, RefusesWhatItDidNotWrite) {
  EXPECT_THROW(table_schema_from_json("{"), Error);
  EXPECT_THROW(table_schema_from_json("{}"), Error);
  EXPECT_THROW(catalog_from_json("{\"a\":1}"), Error);
  const std::string json = catalog_to_json({{sample(), true, Lsn{1}, PrimaryKey{7, {1}}}});
  EXPECT_NO_THROW(catalog_from_json(json));
  for (const auto& [what, instead] :
       {std::pair{"\"0/1\"", "\"0-1\""}, std::pair{"[1]", "[70000]"},
        std::pair{"\"columns\":[{", "\"publication\":[],\"columns\":[{"}}) {
    std::string changed = json;
    ASSERT_NE(changed.find(what), std::string::npos) << what;
    EXPECT_THROW(catalog_from_json(changed.replace(changed.find(what), std::strlen(what), instead)),
                 Error)
        << instead;
  }
}

TEST(CatalogJson, RefusesPartsThatNoTypeHas) {
  TableSchema table = sample();
  table.columns[1].type.parts = SharedParts(composite({"a"}));
  const std::string json = to_json(table);
  EXPECT_NO_THROW(table_schema_from_json(json));
  for (const auto& [what, instead] : {std::pair{"\"kind\":\"a\"", "\"kind\":\"x\""},
                                      std::pair{"\"kind\":\"a\"", "\"kind\":\"h\""},
                                      std::pair{"\"kind\":\"s\"", "\"kind\":\"a\""},
                                      std::pair{"\"delimiter\":\";\"", "\"delimiter\":\"\""}}) {
    std::string changed = json;
    ASSERT_NE(changed.find(what), std::string::npos) << what;
    changed.replace(changed.find(what), std::strlen(what), instead);
    EXPECT_THROW(table_schema_from_json(changed), Error) << instead;
  }
  TypeParts deep{.oid = 25};
  for (std::size_t depth = 1; depth <= TypeParts::kDepthMax; ++depth) {
    table.columns[1].type.parts = SharedParts(deep);
    EXPECT_NO_THROW(table_schema_from_json(to_json(table))) << depth;
    deep = {.kind = TypeParts::Kind::Array, .oid = 70001, .parts = {deep}};
  }
  table.columns[1].type.parts = SharedParts(deep);
  EXPECT_THROW(table_schema_from_json(to_json(table)), Error);
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

TEST(CompleteSchema, ColumnsStayWhatTheyAreInTheTarget) {
  TableSchema before = sample();
  before.columns[1].type.target = "super";
  const TableSchema now = with_column("added", 4, before.oid);
  const auto completed = complete_schema(relation_of(now), &now, &before);
  const auto& table = std::get<TableSchema>(completed);
  EXPECT_EQ(table.columns[1].type.target, "super");
  EXPECT_EQ(table.columns[2].type.target, "");
  const auto changes = compare_schemas(before, before.history, table, &now);
  EXPECT_EQ(std::get<std::vector<SchemaChange>>(changes).size(), 1U) << "the column, and no type";
}

TEST(CompleteSchema, ColumnsStayMadeOfWhatTheyWereMadeOf) {
  TableSchema before = sample();
  before.columns[1].type.parts = SharedParts(composite({"a"}));
  TableSchema now = with_column("added", 4, before.oid);
  now.columns[1].type.parts = SharedParts(composite({"a", "b"}));
  now.columns[2].type.parts = SharedParts(composite({"c"}));
  const auto completed = complete_schema(relation_of(now), &now, &before);
  const auto& table = std::get<TableSchema>(completed);
  EXPECT_EQ(table.columns[1].type.parts, before.columns[1].type.parts);
  EXPECT_FALSE(table.columns[2].type.parts);
  EXPECT_EQ(std::get<TableSchema>(complete_schema(relation_of(now), &now, nullptr)).columns,
            now.columns);
}

TEST(AlteredTypes, AreThoseOfColumnsThatAreMadeOfThem) {
  const auto altered = [](const std::optional<TypeParts>& then,
                          const std::optional<TypeParts>& now) {
    const auto shared = [](const auto& parts) {
      return parts ? SharedParts(*parts) : SharedParts();
    };
    TableSchema version = sample();
    version.columns[1].type.parts = shared(then);
    TableSchema answer = sample();
    answer.columns[1].type.parts = shared(now);
    const auto refusal = altered_types(version, answer);
    EXPECT_TRUE(!refusal || refusal->remedy == Remedy::Copy);
    return refusal.has_value();
  };
  EXPECT_FALSE(altered(composite({"a", "b"}), composite({"a", "b"})));
  EXPECT_TRUE(altered(composite({"a", "b"}), composite({"a"})));
  EXPECT_TRUE(altered(composite({"a", "b"}), composite({"a", "c"})));
  EXPECT_FALSE(altered(std::nullopt, composite({"a"}))) << "its text is what the target has";
  EXPECT_TRUE(altered(composite({"a"}), std::nullopt)) << "what it became is not told any more";
  TypeParts again = composite({"a", "b"});
  again.parts[0].parts[1].attnum = 3;
  EXPECT_TRUE(altered(composite({"a", "b"}), again)) << "dropped, and added again";
}

TEST(UnknownTypes, WhereTheFirstAnswerSaysAnotherThing) {
  TableSchema version = sample();
  EXPECT_FALSE(unknown_types(version, sample()).has_value());
  version.columns[1].type.parts = SharedParts(composite({"a"}));
  EXPECT_FALSE(unknown_types(version, version).has_value());
  EXPECT_TRUE(unknown_types(version, sample()).has_value());
  TableSchema without = sample();
  without.columns.pop_back();
  EXPECT_TRUE(unknown_types(version, without).has_value());
}

TEST(UnknownTypes, WhereNoAnswerSaysWhatASuperIsMadeOf) {
  const auto unknown = [](char kind, Oid oid, Oid element, std::string_view target = kSuper) {
    TableSchema version = sample();
    ColumnType& type = version.columns[1].type;
    type.kind = kind;
    type.oid = type.base_oid = oid;
    type.element_oid = element;
    type.target = target;
    const auto refusal = unknown_types(version, version);
    EXPECT_TRUE(!refusal || refusal->remedy == Remedy::Copy);
    return refusal.has_value();
  };
  EXPECT_TRUE(unknown('c', 70000, 0));
  EXPECT_TRUE(unknown('b', 70001, 0)) << "hstore";
  EXPECT_TRUE(unknown('b', 70002, 70000)) << "an array of composites";
  EXPECT_FALSE(unknown('c', 70000, 0, "")) << "a text";
  EXPECT_FALSE(unknown('b', 3802, 0)) << "jsonb";
  EXPECT_FALSE(unknown('b', 1007, 23)) << "integer[]";
}

TEST(CompleteSchema, RefusesAColumnThatHadAnotherName) {
  // Of the stream: "extra" was added. Since then it became "other", and "extra" was added anew.
  TableSchema catalog = sample();
  catalog.columns.push_back(column("other", 4, 25));
  catalog.columns.push_back(column("extra", 5, 25));
  TableSchema then = sample();
  then.columns.push_back(column("extra", 4, 25));
  const TableSchema previous = sample();
  EXPECT_THAT(refusal(complete_schema(relation_of(then), &catalog, &previous)),
              testing::HasSubstr("column \"other\" is older than column \"extra\""));
}

TEST(CompareSchemas, FindsAddedColumnsWithTheirMissingValue) {
  TableSchema after = sample();
  after.columns.push_back(column("extra", 4, 23));
  after.columns.back().missing = "7";
  const auto changes = std::get<std::vector<SchemaChange>>(compare_with_sample(after));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(std::get<AddColumn>(changes[0]).column, after.columns.back());
  EXPECT_TRUE(std::get<std::vector<SchemaChange>>(compare_with_sample(sample())).empty());
}

TEST(CompareSchemas, RefusesWhatItCannotFollow) {
  TableSchema replaced = sample();
  replaced.columns[1].attnum = 4;  // dropped and added again: the Relation message is identical
  EXPECT_NE(refusal(compare_with_sample(replaced)), "");
  TableSchema renamed = sample();
  renamed.columns[1].name = "comment";
  EXPECT_NE(refusal(compare_with_sample(renamed)), "");
  TableSchema retyped = sample();
  retyped.columns[1].type.oid = 1043;
  EXPECT_NE(refusal(compare_with_sample(retyped)), "");
}

TEST(CompareSchemas, DropsColumnsThatTheCatalogHasNoLonger) {
  const auto drops = [](std::size_t index) {
    TableSchema after = sample();
    after.columns.erase(after.columns.begin() + static_cast<std::ptrdiff_t>(index));
    return std::get<std::vector<SchemaChange>>(compare_with_sample(after));
  };
  for (const std::size_t index : {std::size_t{1}, sample().columns.size() - 1}) {
    EXPECT_EQ(drops(index), (std::vector<SchemaChange>{DropColumn{sample().columns[index].name}}));
  }
}

TEST(CompareSchemas, RefusesDropsThatCannotBeTold) {
  TableSchema after = sample();
  after.columns.pop_back();
  const TableSchema catalog = sample();
  EXPECT_NE(refusal(compare_schemas(sample(), sample().history, after, &catalog)), "")
      << "it is there, and not published";
  EXPECT_NE(refusal(compare_schemas(sample(), sample().history, after, nullptr)), "");
  // One may have had the name of the other while rows came.
  after.columns.push_back(column("another", 4, 16));
  EXPECT_THAT(refusal(compare_with_sample(after)), testing::HasSubstr("column \"another\""));
}

TEST(CompareSchemas, AddsNullsWhereTheTableWasNotRewritten) {
  const auto is_added = [](const TableHistory& known, const TableSchema& after) {
    return refusal(compare_schemas(sample(), known, after, &after)).empty();
  };
  const TableHistory moved{900, 3, 2};
  EXPECT_TRUE(is_added(sample().history, with_column("extra", 4, 16384)));
  EXPECT_TRUE(is_added(moved, with_column("extra", 4, 900)));
  EXPECT_FALSE(is_added(moved, with_column("extra", 4, 901)));
  EXPECT_FALSE(is_added(sample().history, with_column("extra", 4, 901)));
  EXPECT_FALSE(is_added({}, with_column("extra", 4, 901)));
  // A stored value is there until the table is rewritten, so it tells that none came behind it.
  TableSchema stored = with_column("extra", 4, 901);
  stored.columns.back().missing = "7";
  EXPECT_TRUE(is_added(sample().history, stored));
}

TEST(CompareSchemas, RefusesAColumnOfTwoLives) {
  TableSchema again = with_column("extra", 5, 16384);
  again.history.last_dropped = 4;
  again.columns.back().missing = "9";
  EXPECT_THAT(refusal(compare_with_sample(again)),
              testing::HasSubstr("another column was dropped"));
  TableHistory empty = sample().history;
  empty.empty = true;
  EXPECT_THAT(refusal(compare_schemas(sample(), empty, again, &again)),
              testing::HasSubstr("another column was dropped"));
  const TableSchema was_generated = with_column("made", 4, 16384);
  EXPECT_THAT(refusal(compare_schemas(sample(), {16384, 4, 2}, was_generated, &was_generated)),
              testing::HasSubstr("generated"));
}

TEST(CompareSchemas, RefusesAColumnThatMayBeALaterOneOfItsName) {
  // DROP note, ADD note, rows, DROP note or RENAME note: the Relation of the rows is the one
  // before.
  TableSchema now = sample();
  now.columns.pop_back();
  now.history = {16384, 4, 4};
  const auto compared = [&] {
    return refusal(compare_schemas(sample(), sample().history, sample(), &now));
  };
  EXPECT_THAT(compared(), testing::HasSubstr("column \"note\""));
  now.columns.push_back(column("other", 4, 25));
  now.history = {16384, 4, 3};
  EXPECT_THAT(compared(), testing::HasSubstr("column \"note\""));
  now.columns.pop_back();
  now.history = {16384, 3, 3};
  EXPECT_EQ(compared(), "");
  // The number was given before, and dropped before these rows.
  now.history = {16384, 4, 4};
  EXPECT_EQ(refusal(compare_schemas(sample(), {16384, 4, 2}, sample(), &now)), "");
}

TEST(CompareSchemas, AddsAColumnThatNoDroppedOneCameBefore) {
  TableSchema and_one_dropped = with_column("extra", 4, 16384);
  and_one_dropped.history = {16384, 5, 5};
  EXPECT_EQ(refusal(compare_with_sample(and_one_dropped)), "");
  // Nothing is remembered of the table: its columns are.
  TableSchema dropped_long_ago = with_column("extra", 4, 16384);
  dropped_long_ago.history.last_dropped = 2;
  EXPECT_EQ(refusal(compare_schemas(sample(), {}, dropped_long_ago, &dropped_long_ago)), "");
}

TEST(HistoryToKeep, IsTheCatalogsUnlessThatIsAhead) {
  const TableSchema now = with_column("extra", 4, 900);
  EXPECT_EQ(history_to_keep(now, {}, &now), now.history);
  EXPECT_EQ(history_to_keep(now, {1, 2, 3}, nullptr), (TableHistory{1, 2, 3}));
  TableSchema came_and_went = now;
  came_and_went.history = {900, 5, 5};
  EXPECT_EQ(history_to_keep(now, {900, 3, 2}, &came_and_went), (TableHistory{900, 4, 0}));
  TableSchema ahead = now;
  ahead.columns.push_back(column("later", 5, 23));
  ahead.history = {900, 5, 0};
  EXPECT_EQ(history_to_keep(now, {900, 3, 2}, &ahead), (TableHistory{900, 4, 0}));
  EXPECT_EQ(history_to_keep(now, {800, 3, 2}, &ahead), (TableHistory{0, 4, 0}));
}

}  // namespace
}  // namespace re_dms::schema_test
