#include "stage/column_plan.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "stage/csv.h"
#include "stage/testing/layer_samples.h"
#include "stage/testing/staged_reader.h"

namespace re_dms {
namespace {

const ValueLimits kShortText{.check = ValueCheck::Text, .cuttable = true, .bytes_max = 5};
const ValueLimits kShortJson{.check = ValueCheck::Text, .bytes_max = 5};
const ValueLimits kBytes{.check = ValueCheck::Bytea, .written = Written::PlainHex, .bytes_max = 2};
const ValueLimits kFloat{.check = ValueCheck::Number, .lowest = "-9e9", .highest = "9e9"};
const ValueLimits kDecimal{.check = ValueCheck::Number};
const ValueLimits kDate{
    .check = ValueCheck::DateTime, .lowest = "0001-01-01", .highest = "9999-12-31"};
const ValueLimits kStamp{.check = ValueCheck::DateTime,
                         .endless = true,
                         .before_christ = true,
                         .highest = "294247-01-10 04:00:54.775806+00"};
const ValueLimits kZone{.check = ValueCheck::Zone};

/// What becomes of the value: itself, another text, "NULL" or "refused".
std::string after(const ValueLimits& limits, BadValues policy, std::string_view text) {
  if (fits(limits, text)) {
    return std::string(text);
  }
  const HeldValue held = hold(limits, policy, text);
  EXPECT_FALSE(held.reason.empty());
  return held.refused ? "refused" : std::string(held.text.value_or("NULL"));
}

std::string usual(const ValueLimits& limits, std::string_view text) {
  return after(limits, BadValues::Usual, text);
}

TEST(ColumnPlanTest, TextIsCutBetweenCharacters) {
  EXPECT_EQ(usual(kShortText, "12345"), "12345");
  EXPECT_EQ(usual(kShortText, "123456"), "12345");
  EXPECT_EQ(usual(kShortText, "1234\u00e9"), "1234");
  EXPECT_EQ(usual(kShortText, "123\u00e96"), "123\u00e9");
  EXPECT_EQ(usual(kShortText, "12\u20ac\u20ac"), "12\u20ac");
  EXPECT_EQ(usual(kShortText, "1234\U0001F600"), "1234");
  EXPECT_EQ(usual(kShortText, "1\U0001F6006"), "1\U0001F600");
  EXPECT_EQ(after(kShortText, BadValues::Null, "123456"), "NULL");
  EXPECT_EQ(after(kShortText, BadValues::Clamp, "123456"), "12345");
  EXPECT_EQ(after(kShortText, BadValues::Error, "123456"), "refused");
}

TEST(ColumnPlanTest, WhatABeginningWouldFalsifyBecomesNull) {
  EXPECT_EQ(usual(kShortJson, "[1,2]"), "[1,2]");
  EXPECT_EQ(usual(kShortJson, "[1,22]"), "NULL");
  EXPECT_EQ(after(kShortJson, BadValues::Truncate, "[1,22]"), "NULL");
  EXPECT_EQ(usual(kBytes, "\\x0102"), "\\x0102");
  EXPECT_EQ(usual(kBytes, "\\x010203"), "NULL");
  EXPECT_EQ(usual(kBytes, "\\x"), "NULL") << "its field would be empty, which is NULL for COPY";
  EXPECT_EQ(after(kBytes, BadValues::Error, "\\x"), "refused");
  EXPECT_EQ(after(kBytes, BadValues::Truncate, "\\x010203"), "\\x0102");
}

TEST(ColumnPlanTest, NumbersThatAreNone) {
  for (const char* fine : {"0", "-1.5", "1e+300", "-4.9e-324"}) {
    EXPECT_EQ(usual(kFloat, fine), fine);
    EXPECT_EQ(usual(kDecimal, fine), fine);
  }
  for (const char* odd : {"NaN", "Infinity", "-Infinity"}) {
    EXPECT_EQ(usual(kFloat, odd), "NULL");
    EXPECT_EQ(usual(kDecimal, odd), "NULL");
    EXPECT_EQ(after(kFloat, BadValues::Error, odd), "refused");
    EXPECT_EQ(after(kDecimal, BadValues::Clamp, odd), "NULL");
  }
  EXPECT_EQ(after(kFloat, BadValues::Clamp, "NaN"), "NULL");
  EXPECT_EQ(after(kFloat, BadValues::Clamp, "Infinity"), "9e9");
  EXPECT_EQ(after(kFloat, BadValues::Clamp, "-Infinity"), "-9e9");
  EXPECT_EQ(after(kFloat, BadValues::Truncate, "-Infinity"), "NULL");
}

TEST(ColumnPlanTest, DatesBecomeTheNearest) {
  for (const char* fine : {"0001-01-01", "2026-02-28", "9999-12-31"}) {
    EXPECT_EQ(usual(kDate, fine), fine);
  }
  for (const char* late : {"infinity", "10000-01-01", "5874897-12-31"}) {
    EXPECT_EQ(usual(kDate, late), "9999-12-31");
    EXPECT_EQ(after(kDate, BadValues::Null, late), "NULL");
  }
  for (const char* early : {"-infinity", "0001-12-31 BC", "4713-01-01 BC"}) {
    EXPECT_EQ(usual(kDate, early), "0001-01-01");
    EXPECT_EQ(after(kDate, BadValues::Error, early), "refused");
  }
}

TEST(ColumnPlanTest, TimestampsBeforeALastOne) {
  for (const char* fine :
       {"infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "2026-01-01 12:00:00.5+00",
        "10000-01-01 00:00:00+00", "294247-01-10 04:00:54+00", "294247-01-10 04:00:54.77+00",
        "294247-01-10 04:00:54.775806+00"}) {
    EXPECT_EQ(usual(kStamp, fine), fine);
  }
  for (const char* late : {"294247-01-10 04:00:54.775807+00", "294247-01-10 04:00:54.8+00",
                           "294247-01-10 04:00:55+00", "294276-12-31 23:59:59.999999+00"}) {
    EXPECT_EQ(usual(kStamp, late), kStamp.highest);
  }
}

TEST(ColumnPlanTest, OffsetsOfTimes) {
  for (const char* fine : {"12:00:00+00", "12:00:00.5-14:59", "24:00:00+05:30"}) {
    EXPECT_EQ(usual(kZone, fine), fine);
  }
  for (const char* odd : {"12:00:00+15", "12:00:00-15:59", "12:00:00+01:00:01"}) {
    EXPECT_EQ(usual(kZone, odd), "NULL");
  }
}

/// Columns by type name: see limits_of.
ValueLimits limits_of(const ColumnType& type) {
  return type.oid == 701 ? kFloat : kShortText;
}

TablePtr numbered_table(std::vector<std::string> names, ReplicaIdentity identity) {
  TableSchema table = *table_of(std::move(names));
  table.identity = identity;
  table.columns.back().type.oid = table.columns.back().type.base_oid = 701;
  return std::make_shared<TableSchema>(std::move(table));
}

struct Staged {
  std::vector<CsvRow> rows;
  AdjustedValues adjusted;
};

Staged staged(const Layer& layer, LayerShape shape, StageFormat format) {
  format.limits = limits_of;
  GatheringSink sink;
  CsvWriter csv(*layer.table, shape, sink, format);
  for (std::size_t i = 0; i < layer.rows.size(); ++i) {
    csv.append(layer.row(i));
  }
  csv.finish();
  return {parse_csv(sink.text), csv.take_adjusted()};
}

StageFormat wanting(BadValues policy) {
  return {.bad_values = [policy](const QualifiedName&, const std::string&) { return policy; }};
}

TEST(PlannedRowsTest, WhatIsChangedIsCountedAndShown) {
  const TablePtr table = numbered_table({"id*", "note", "x"}, ReplicaIdentity::Default);
  LayerSample sample(table);
  sample.add(RowOp::Update, {"1"}, {"1", kUnchanged, "NaN"});
  sample.add(RowOp::Update, {"2"}, {"2", "123456", "1.5"});
  sample.add(RowOp::Replace, {"3"}, {"4", "123456", kNull});
  sample.add(RowOp::Delete, {"5"}, {});
  const Staged done = staged(sample.take(), LayerShape::Changes, {});
  EXPECT_EQ(done.rows, (std::vector<CsvRow>{
                           {"U", "101", "1", "1", std::nullopt, std::nullopt},
                           {"U", "111", "2", "2", "12345", "1.5"},
                           {"R", std::nullopt, "3", "4", "12345", std::nullopt},
                           {"D", std::nullopt, "5", std::nullopt, std::nullopt, std::nullopt}}));
  EXPECT_FALSE(done.adjusted.refused);
  ASSERT_EQ(done.adjusted.counts.size(), 2U);
  EXPECT_EQ(done.adjusted.counts[0].column, 2U);
  EXPECT_EQ(done.adjusted.counts[1].values, 2U);
  ASSERT_EQ(done.adjusted.examples.size(), 3U);
  EXPECT_EQ(done.adjusted.examples[0].key, "1");
  EXPECT_EQ(done.adjusted.examples[0].original, "NaN");
  EXPECT_EQ(done.adjusted.examples[0].became, "NULL");
  EXPECT_EQ(done.adjusted.examples[2].key, "4");
}

TEST(PlannedRowsTest, CountsAreExactAndExamplesAreFew) {
  LayerSample sample(numbered_table({"id*", "x"}, ReplicaIdentity::Default));
  for (int i = 0; i < 1000; ++i) {
    sample.insert({std::to_string(i), "Infinity"});
  }
  const Staged done = staged(sample.take(), LayerShape::Inserts, {});
  EXPECT_EQ(done.adjusted.counts.at(0).values, 1000U);
  EXPECT_EQ(done.adjusted.examples.size(), kAdjustedExamplesMax);
}

TEST(PlannedRowsTest, KeysAreNeverChanged) {
  LayerSample keyed(numbered_table({"note", "x*"}, ReplicaIdentity::Default));
  keyed.insert({"123456", "NaN"});
  const Staged by_key = staged(keyed.take(), LayerShape::Inserts, wanting(BadValues::Null));
  EXPECT_EQ(by_key.rows, (std::vector<CsvRow>{{std::nullopt, "NaN"}}));
  EXPECT_EQ(by_key.adjusted.refused, (RefusedValue{1, "not a number", true}));
}

TEST(PlannedRowsTest, ARowWithoutAKeyGoesAsItCameAndCountsOnce) {
  const TablePtr table = numbered_table({"note", "x"}, ReplicaIdentity::Full);
  LayerSample came(table);
  came.insert({"123456", "NaN"});
  const Staged before = staged(came.take(), LayerShape::Inserts, wanting(BadValues::Truncate));
  LayerSample went(table);
  went.add(RowOp::Delete, {}, {"123456", "NaN"});
  const Staged after = staged(went.take(), LayerShape::Multiset, wanting(BadValues::Truncate));
  ASSERT_EQ(before.rows, (std::vector<CsvRow>{{"12345", std::nullopt}}));
  ASSERT_EQ(after.rows, (std::vector<CsvRow>{{"D", "12345", std::nullopt}}));
  EXPECT_EQ(before.adjusted.counts.size(), 2U);
  EXPECT_TRUE(after.adjusted.counts.empty());
  EXPECT_FALSE(after.adjusted.refused);
}

TEST(PlannedRowsTest, ErrorNamesTheFirst) {
  LayerSample sample(numbered_table({"id*", "note", "x"}, ReplicaIdentity::Default));
  sample.insert({"1", "fine", "NaN"}).insert({"2", "123456", "1"});
  const Staged done = staged(sample.take(), LayerShape::Inserts, wanting(BadValues::Error));
  EXPECT_EQ(done.adjusted.refused, (RefusedValue{2, "not a number", false}));
}

TEST(PlannedRowsTest, ARowThatIsTooLongLosesItsLongestValues) {
  const TablePtr table = table_of({"id*", "a", "b", "c"});
  const auto stage = [&](BadValues policy) {
    LayerSample sample(table);
    sample.insert({"1", std::string(40, '"'), std::string(70, 'b'), "c"});
    sample.insert({"2", "a", std::string(90, 'b'), "c"});
    StageFormat format = wanting(policy);
    format.row_bytes_max = 100;
    format.limits = [](const ColumnType&) { return ValueLimits{}; };
    GatheringSink sink;
    const Layer layer = sample.take();
    CsvWriter csv(*table, LayerShape::Inserts, sink, format);
    std::uint64_t longest = 0;
    for (std::size_t i = 0; i < layer.rows.size(); ++i) {
      longest = std::max(longest, csv.append(layer.row(i)));
    }
    csv.finish();
    EXPECT_EQ(longest <= 100, policy == BadValues::Null);
    return Staged{parse_csv(sink.text), csv.take_adjusted()};
  };
  const Staged done = stage(BadValues::Null);
  EXPECT_EQ(done.rows[0], (CsvRow{"1", std::nullopt, std::string(70, 'b'), "c"}));
  EXPECT_EQ(done.rows[1], (CsvRow{"2", "a", std::string(90, 'b'), "c"}));
  ASSERT_EQ(done.adjusted.counts.size(), 1U);
  EXPECT_EQ(done.adjusted.counts[0].reason, kRowTooLong);
  EXPECT_EQ(stage(BadValues::Usual).adjusted.refused, (RefusedValue{1, kRowTooLong, false}));
}

/// Of a table of which every column but the key is an array of texts that becomes JSON.
Staged staged_arrays(const Layer& layer, StageFormat format) {
  format.limits = [](const ColumnType&) {
    return ValueLimits{.check = ValueCheck::AsJson,
                       .written = Written::AsJson,
                       .form = std::make_shared<const JsonForm>(
                           JsonForm{.kind = JsonForm::Kind::Array, .parts = {{}}}),
                       .bytes_max = 10'000,
                       .string_bytes_max = 100};
  };
  GatheringSink sink;
  CsvWriter csv(*layer.table, LayerShape::Inserts, sink, format);
  for (std::size_t i = 0; i < layer.rows.size(); ++i) {
    EXPECT_LE(csv.append(layer.row(i)), format.row_bytes_max == 0 ? 1000 : format.row_bytes_max);
  }
  csv.finish();
  return {parse_csv(sink.text), csv.take_adjusted()};
}

TEST(PlannedRowsTest, ArraysAreWrittenAsJson) {
  LayerSample sample(table_of({"a"}));
  sample.insert({"{x,NULL,\"a \\\" b\"}"}).insert({"[2:2]={x}"}).insert({kNull});
  const Staged done = staged_arrays(sample.take(), {});
  EXPECT_EQ(done.rows,
            (std::vector<CsvRow>{{R"(["x",null,"a \" b"])"}, {std::nullopt}, {std::nullopt}}));
  ASSERT_EQ(done.adjusted.counts.size(), 1U);
  EXPECT_EQ(done.adjusted.examples.at(0).original, "[2:2]={x}");
}

TEST(PlannedRowsTest, WhatIsNotOfItsTypeHasTheTableCopiedWhateverThePolicy) {
  for (const BadValues policy : {BadValues::Usual, BadValues::Null, BadValues::Error}) {
    LayerSample sample(table_of({"a"}));
    sample.insert({"{x}"}).insert({"{x"});
    const Staged done = staged_arrays(sample.take(), wanting(policy));
    EXPECT_EQ(done.adjusted.refused, (RefusedValue{0, kOtherParts, false, Remedy::Copy}));
    EXPECT_TRUE(done.adjusted.counts.empty());
  }
}

TEST(PlannedRowsTest, ALineIsMeasuredByTheJsonOfItsArrays) {
  // Three times as long as JSON in a line of CSV.
  std::string many = "{a";
  for (int i = 1; i < 400; ++i) {
    many += ",a";
  }
  LayerSample sample(table_of({"a", "b"}));
  sample.insert({many + "}", "{b}"});
  StageFormat format = wanting(BadValues::Null);
  format.row_bytes_max = 2000;
  const Staged done = staged_arrays(sample.take(), format);
  EXPECT_EQ(done.rows, (std::vector<CsvRow>{{std::nullopt, R"(["b"])"}}));
  EXPECT_EQ(done.adjusted.counts.at(0).reason, kRowTooLong);
}

}  // namespace
}  // namespace re_dms
