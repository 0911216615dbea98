#include "warehouse/redshift/types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "warehouse/redshift/target_shape.h"

namespace re_dms::redshift::types_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kJsonb = 3802;

ColumnType type_of(Oid oid, const std::string& target = {}, Oid element = 0) {
  ColumnType type;
  type.oid = oid;
  type.base_oid = oid;
  type.name = "its type";
  type.element_oid = element;
  type.target = target;
  return type;
}

TableSchema table_of(std::size_t columns, std::size_t keys) {
  TableSchema table;
  table.name = {"public", "t"};
  for (std::size_t i = 0; i < columns; ++i) {
    Column& column = table.columns.emplace_back();
    column.name = "c" + std::to_string(i);
    column.type = type_of(kInt4);
    column.key = i < keys;
  }
  table.identity = keys == 0 ? ReplicaIdentity::Full : ReplicaIdentity::Default;
  return table;
}

TEST(RedshiftTypes, WhatSomebodyWantsComesFirst) {
  EXPECT_EQ(target_type(type_of(kJsonb)).text(), "varchar(65535)");
  EXPECT_EQ(target_type(type_of(kJsonb, "super")).text(), "super");
  EXPECT_EQ(target_type(type_of(kText, "varchar(100)")).text(), "varchar(100)");
  EXPECT_EQ(value_limits(type_of(kText, "varchar(100)")).bytes_max, 100U);
  EXPECT_TRUE(value_limits(type_of(kText, "varchar(100)")).cuttable);
  EXPECT_FALSE(value_limits(type_of(kJsonb, "varchar(100)")).cuttable);
  EXPECT_EQ(value_limits(type_of(kJsonb, "super")).check, ValueCheck::Json);
  const ValueLimits numbers = value_limits(type_of(1007, "super", kInt4));
  EXPECT_EQ(numbers.written, Written::AsJson);
  using enum JsonForm::Kind;
  EXPECT_EQ(*numbers.form, (JsonForm{.kind = Array, .parts = {{.kind = Number}}}));
}

ColumnType made_of(char kind, TypeParts parts) {
  ColumnType type = type_of(parts.oid, "super");
  type.kind = kind;
  type.parts = SharedParts(std::move(parts));
  return type;
}

TEST(RedshiftTypes, WhatIsMadeOfPartsBecomesSuper) {
  using Kind = TypeParts::Kind;
  using enum JsonForm::Kind;
  const TypeParts hstore{.kind = Kind::Hstore, .oid = 70001};
  EXPECT_EQ(type_refusal(made_of('b', hstore)), std::nullopt);
  EXPECT_EQ(*value_limits(made_of('b', hstore)).form, (JsonForm{.kind = Pairs}));
  TypeParts boxes{.kind = Kind::Array, .oid = 1020, .delimiter = ';', .parts = {{.oid = 603}}};
  boxes.name = "where";
  const TypeParts composite{.kind = Kind::Composite,
                            .oid = 70002,
                            .parts = {{.oid = 16, .name = "on", .attnum = 1},
                                      {.oid = 1700, .name = "price", .attnum = 3},
                                      {.oid = kJsonb, .name = "more", .attnum = 4},
                                      {.oid = 1082, .name = "day", .attnum = 5},
                                      boxes}};
  const JsonForm object{
      .kind = Object,
      .parts = {{.kind = Boolean, .name = "on"},
                {.kind = Number, .name = "price"},
                {.kind = Json, .name = "more"},
                {.kind = Text, .name = "day"},
                {.kind = Array, .delimiter = ';', .name = "where", .parts = {{.kind = Text}}}}};
  EXPECT_EQ(type_refusal(made_of('c', composite)), std::nullopt);
  EXPECT_EQ(*value_limits(made_of('c', composite)).form, object);
  const TypeParts list{.kind = Kind::Array, .oid = 70003, .parts = {composite}};
  EXPECT_EQ(*value_limits(made_of('b', list)).form, (JsonForm{.kind = Array, .parts = {object}}));
  EXPECT_EQ(target_type(made_of('c', composite)).text(), "super");
}

TEST(RedshiftTypes, WhatCannotBeWhatSomebodyWants) {
  EXPECT_EQ(type_refusal(type_of(kJsonb, "super")), std::nullopt);
  EXPECT_EQ(type_refusal(type_of(1007, "super", kInt4)), std::nullopt);
  EXPECT_EQ(type_refusal(type_of(kText, "varchar(9)")), std::nullopt);
  EXPECT_THAT(type_refusal(type_of(kText, "super")), Optional(HasSubstr("does not become SUPER")));
  EXPECT_THAT(type_refusal(type_of(1020, "super", 603)), Optional(HasSubstr("SUPER")))
      << "boxes have another delimiter";
  EXPECT_THAT(type_refusal(type_of(kInt4, "varchar(9)")), Optional(HasSubstr("becomes integer")));
  ColumnType composite = type_of(70000, "super");
  composite.kind = 'c';
  EXPECT_THAT(type_refusal(composite), Optional(HasSubstr("made of is not known")));
  EXPECT_THAT(type_refusal(type_of(70001, "super", 70000)),
              Optional(HasSubstr("made of is not known")));
}

TEST(RedshiftShape, StagedRowsNeedColumnsOfTheirOwn) {
  EXPECT_EQ(columns_refusal(table_of(1597, 1)), std::nullopt);
  EXPECT_THAT(columns_refusal(table_of(1598, 1)), Optional(HasSubstr("has 1598 columns")));
  EXPECT_EQ(columns_refusal(table_of(1595, 3)), std::nullopt);
  EXPECT_NE(columns_refusal(table_of(1596, 3)), std::nullopt);
  EXPECT_EQ(columns_refusal(table_of(1598, 0)), std::nullopt);
  EXPECT_NE(columns_refusal(table_of(1599, 0)), std::nullopt);
}

TEST(RedshiftShape, NamesThatDifferInTheCaseOfLettersOnly) {
  TableSchema table = table_of(2, 1);
  table.columns[0].name = "CREATED";
  table.columns[1].name = "created";
  EXPECT_THAT(columns_refusal(table), Optional(HasSubstr("\"CREATED\" and \"created\"")));
}

TEST(RedshiftShape, RowsAreSpreadByTheColumnThatIsWanted) {
  const TableSchema table = table_of(4, 1);
  EXPECT_EQ(distribution_column(table, {}), 0U);
  EXPECT_EQ(distribution_column(table_of(4, 2), {}), std::nullopt);
  EXPECT_EQ(distribution_column(table, {.distkey = "c3"}), 3U);
  EXPECT_EQ(distribution_column(table, {.distkey = "C3"}), std::nullopt);
  EXPECT_EQ(distribution_column(table, {.diststyle = "even"}), std::nullopt);
}

}  // namespace
}  // namespace re_dms::redshift::types_test
