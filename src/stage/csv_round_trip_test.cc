#include <gtest/gtest.h>

#include <random>

#include "stage/csv.h"
#include "stage/gzip.h"
#include "stage/testing/layer_samples.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::csv_round_trip_test {
namespace {

using Random = std::minstd_rand;

std::string odd_text(Random& random) {
  static const std::vector<std::string> kPieces = {
      "\"",        ",",    "\n",           "\r",
      "\r\n",      "\\N",  "\\",           " ",
      "\t",        "\x01", "\x1f",         "a",
      "\"\"",      "",     "\x7f",         "'",
      "NULL",      "#",    "\xEF\xBB\xBF", "\xF0\x9F\x90\x98",
      "plain text"};
  std::string text;
  const std::size_t pieces = random() % 6;
  for (std::size_t i = 0; i < pieces; ++i) {
    text += random() % 4 == 0 ? std::string(random() % 60, static_cast<char>('a' + random() % 26))
                              : kPieces[random() % kPieces.size()];
  }
  if (random() % 500 == 0) {
    text += std::string(random() % 400'000, random() % 2 == 0 ? 'z' : '"');
  }
  return text;
}

struct Expected {
  std::vector<CsvRow> rows;
  Layer layer;
};

/// Random rows of every kind, and the fields a reader must see.
Expected random_changes(unsigned seed, std::size_t rows) {
  const TablePtr table = table_of({"k1*", "a", "k2*", "b", "c"});
  Random random(seed);
  LayerSample sample(table);
  std::vector<CsvRow> expected;
  constexpr RowOp kOps[] = {RowOp::Insert, RowOp::Replace, RowOp::Update, RowOp::Delete};
  for (std::size_t i = 0; i < rows; ++i) {
    const RowOp op = kOps[random() % std::size(kOps)];
    CsvRow row{std::string(1, static_cast<char>(op)), std::nullopt, std::nullopt, std::nullopt};
    const std::vector<std::string> origin = {odd_text(random), odd_text(random)};
    if (op != RowOp::Insert) {
      row[2] = origin[0];
      row[3] = origin[1];
    }
    std::string mask;
    std::vector<SampleValue> values;
    for (const Column& column : table->columns) {
      const auto dice = random() % 4;
      if (op == RowOp::Update && dice == 0 && !column.key) {
        values.push_back(kUnchanged);
      } else if (dice == 1) {
        values.push_back(kNull);
      } else {
        values.emplace_back(odd_text(random));
      }
      mask += values.back() == kUnchanged ? '0' : '1';
      const bool text = op != RowOp::Delete && values.back().kind == ValueKind::Text;
      row.push_back(text ? std::optional(values.back().bytes) : std::nullopt);
    }
    if (op == RowOp::Update) {
      row[1] = mask;
    }
    sample.add(op, origin, values);
    expected.push_back(std::move(row));
  }
  return {std::move(expected), sample.take()};
}

std::string staged(const Layer& layer) {
  std::string content;
  GatheringObject object(content);
  GzipStream gzip(object, Compression::Fast);
  CsvWriter csv(*layer.table, LayerShape::Changes, gzip);
  for (std::size_t index = 0; index < layer.rows.size(); ++index) {
    csv.append(layer.row(index));
  }
  csv.finish();
  gzip.finish();
  EXPECT_EQ(gzip.bytes(), content.size());
  return content;
}

TEST(CsvRoundTrip, RandomRowsComeBackExactly) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Expected expected = random_changes(seed, 700);
    const std::vector<CsvRow> rows = parse_csv(gunzip(staged(expected.layer)));
    ASSERT_EQ(rows.size(), expected.rows.size()) << "seed " << seed;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(rows[i] == expected.rows[i]) << "seed " << seed << " row " << i;
    }
  }
}

TEST(CsvRoundTrip, TheSameLayerGivesTheSameBytes) {
  const std::string first = staged(random_changes(99, 3000).layer);
  for (int again = 0; again < 3; ++again) {
    ASSERT_TRUE(staged(random_changes(99, 3000).layer) == first);
  }
}

}  // namespace
}  // namespace re_dms::csv_round_trip_test
