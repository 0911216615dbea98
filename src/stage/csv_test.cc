#include "stage/csv.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "stage/testing/layer_samples.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::csv_test {
namespace {

std::string csv_of(const Layer& layer, LayerShape shape) {
  GatheringSink sink;
  CsvWriter csv(*layer.table, shape, sink);
  std::uint64_t bytes = 0;
  for (std::size_t index = 0; index < layer.rows.size(); ++index) {
    bytes += csv.append(layer.row(index));
    EXPECT_EQ(csv.bytes(), bytes);
  }
  csv.finish();
  EXPECT_EQ(sink.text.size(), bytes);
  return sink.text;
}

std::string field_of(const SampleValue& value) {
  const Layer layer = LayerSample(table_of({"a"})).insert({value}).take();
  const std::string line = csv_of(layer, LayerShape::Inserts);
  EXPECT_EQ(line.back(), '\n');
  return line.substr(0, line.size() - 1);
}

std::string change(RowOp op, const std::vector<std::string>& origin,
                   const std::vector<SampleValue>& values) {
  const Layer layer =
      LayerSample(table_of({"id*", "note", "part*", "body"})).add(op, origin, values).take();
  return csv_of(layer, LayerShape::Changes);
}

TEST(Csv, TellsNullAndTextsApart) {
  EXPECT_EQ(field_of(kNull), "\\N");
  EXPECT_EQ(field_of(""), "\"\"");
  EXPECT_EQ(field_of("\\N"), "\"\\N\"");
  EXPECT_EQ(field_of("\\"), "\"\\\"");
  EXPECT_EQ(field_of("\\x00ff"), "\"\\x00ff\"");
  EXPECT_EQ(field_of("NULL"), "NULL");
  EXPECT_EQ(field_of("a\\N"), "a\\N");
  EXPECT_EQ(field_of("N"), "N");
}

TEST(Csv, QuotesWhatAReaderCouldMistake) {
  EXPECT_EQ(field_of("a,b"), "\"a,b\"");
  EXPECT_EQ(field_of("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(field_of("\""), "\"\"\"\"");
  EXPECT_EQ(field_of("a\nb"), "\"a\nb\"");
  EXPECT_EQ(field_of("a\r\nb"), "\"a\r\nb\"");
  EXPECT_EQ(field_of("\r"), "\"\r\"");
  EXPECT_EQ(field_of("\ta"), "\"\ta\"");
  EXPECT_EQ(field_of(" a"), "\" a\"");
  EXPECT_EQ(field_of("a "), "\"a \"");
  EXPECT_EQ(field_of(" "), "\" \"");
  EXPECT_EQ(field_of("\x01"), "\"\x01\"");
  EXPECT_EQ(field_of("\xEF\xBB\xBF"
                     "id"),
            "\"\xEF\xBB\xBF"
            "id\"");
}

TEST(Csv, LeavesPlainTextAlone) {
  for (const char* text : {"1", "12", "123", "-1.5e10", "a b", "2026-01-31 12:00:00.123456+00",
                           "it's", "f", "{}", "x'y;z|w", "\xC3\xA4\xC3\xB6\xC3\xBC", "\x7F", "#"}) {
    EXPECT_EQ(field_of(text), text);
  }
}

TEST(Csv, FindsASpecialByteAtEveryPlaceOfEveryLength) {
  for (std::size_t size = 1; size <= 70; ++size) {
    const std::string plain(size, 'x');
    EXPECT_FALSE(needs_quotes(plain)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      for (const char special : {'"', ',', '\n', '\r', '\0', '\x1F'}) {
        std::string text = plain;
        text[at] = special;
        EXPECT_TRUE(needs_quotes(text)) << size << " at " << at;
      }
      for (const char harmless : {'!', '#', '+', '-', '\x7F', '\x80', '\xA2', '\xAC', '\xFF'}) {
        std::string text = plain;
        text[at] = harmless;
        EXPECT_FALSE(needs_quotes(text)) << size << " at " << at;
      }
    }
  }
}

TEST(Csv, InsertsHoldTheColumnsOnly) {
  const Layer layer = LayerSample(table_of({"id*", "note", "body"}))
                          .insert({"1", "", kNull})
                          .insert({"2", kNull, "x,y"})
                          .take();
  EXPECT_EQ(csv_of(layer, LayerShape::Inserts), "1,\"\",\\N\n2,\\N,\"x,y\"\n");
}

TEST(Csv, ChangesHoldOperationMaskOriginKeyAndColumns) {
  EXPECT_EQ(change(RowOp::Insert, {}, {"1", "n", "2", kNull}), "I,\\N,\\N,\\N,1,n,2,\\N\n");
  EXPECT_EQ(change(RowOp::Replace, {"1", "2"}, {"1", kNull, "2", "b"}), "R,\\N,1,2,1,\\N,2,b\n");
  EXPECT_EQ(change(RowOp::Update, {"1", "2"}, {"1", "n", "2", kUnchanged}),
            "U,1110,1,2,1,n,2,\\N\n");
  EXPECT_EQ(change(RowOp::Delete, {"1", "2"}, {}), "D,\\N,1,2,\\N,\\N,\\N,\\N\n");
}

TEST(Csv, ARowOfAMultisetIsWholeWhetherItComesOrGoes) {
  auto table = std::make_shared<TableSchema>(*table_of({"a", "b"}));
  table->identity = ReplicaIdentity::Full;
  LayerSample rows(table);
  rows.insert({"1", kNull}).add(RowOp::Delete, {}, {"2", ""});
  EXPECT_EQ(csv_of(rows.take(), LayerShape::Multiset), "I,1,\\N\nD,2,\"\"\n");
}

TEST(Csv, TheMaskTellsNullFromUnchanged) {
  EXPECT_EQ(change(RowOp::Update, {"1", "2"}, {"1", kNull, "2", kUnchanged}),
            "U,1110,1,2,1,\\N,2,\\N\n");
  EXPECT_EQ(change(RowOp::Update, {"1", "2"}, {"1", kUnchanged, "2", kNull}),
            "U,1011,1,2,1,\\N,2,\\N\n");
  EXPECT_EQ(change(RowOp::Update, {"1", "2"}, {"1", kUnchanged, "2", ""}),
            "U,1011,1,2,1,\\N,2,\"\"\n");
}

TEST(Csv, AMovedRowHasItsOriginKeyAndItsNewOne) {
  EXPECT_EQ(change(RowOp::Replace, {"1", "a,b"}, {"7", "n", "\\N", "b"}),
            "R,\\N,1,\"a,b\",7,n,\"\\N\",b\n");
  EXPECT_EQ(change(RowOp::Update, {"", "2"}, {"7", kUnchanged, "8", kUnchanged}),
            "U,1010,\"\",2,7,\\N,8,\\N\n");
}

TEST(Csv, RefusesRowsThatDoNotFit) {
  EXPECT_THROW(change(RowOp::Insert, {}, {"1", "n", "2", kUnchanged}), Error);
  EXPECT_THROW(change(RowOp::Replace, {"1", "2"}, {"1", kUnchanged, "2", "b"}), Error);
  EXPECT_THROW(change(RowOp::Update, {"1"}, {"1", "n", "2", "b"}), Error);
  EXPECT_THROW(change(RowOp::Update, {"1", "2"}, {"1", "n", "2"}), Error);
  EXPECT_THROW(change(RowOp::Delete, {"1", "2", "3"}, {}), Error);
  const Layer layer = LayerSample(table_of({"id*"})).add(RowOp::Delete, {"1"}, {}).take();
  EXPECT_THROW(csv_of(layer, LayerShape::Inserts), Error);
}

TEST(Csv, WritesRowsLargerThanItsBufferInPieces) {
  const std::string plain(3'000'001, 'x');
  const std::string quotes(1'000'003, '"');
  const Layer layer = LayerSample(table_of({"id*", "a", "b", "c"}))
                          .insert({"1", plain, quotes, "end"})
                          .insert({plain, "y", "z", quotes + plain})
                          .take();
  GatheringSink sink;
  CsvWriter csv(*layer.table, LayerShape::Inserts, sink);
  EXPECT_EQ(csv.append(layer.row(0)), 2 + plain.size() + 1 + 2 * quotes.size() + 2 + 5);
  csv.append(layer.row(1));
  csv.finish();
  EXPECT_GT(sink.pieces, 30);
  const std::vector<CsvRow> rows = parse_csv(sink.text);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(rows[0] == CsvRow({"1", plain, quotes, "end"}));
  EXPECT_TRUE(rows[1] == CsvRow({plain, "y", "z", quotes + plain}));
}

}  // namespace
}  // namespace re_dms::csv_test
