#include "source/copy/copy_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "model/tuple.h"
#include "source/testing/error_of.h"

namespace re_dms::copy_text_test {
namespace {

using ::testing::ElementsAre;

/// The values of a line: "NULL" for NULL, else in quotes.
std::vector<std::string> values(std::string_view line, std::size_t columns) {
  std::string tuple;
  tuple_of_copy_line(line, columns, tuple);
  const TupleView view(tuple);
  EXPECT_EQ(view.count(), columns);
  ColumnCursor cursor = view.columns();
  std::vector<std::string> found;
  for (std::size_t i = 0; i < columns; ++i) {
    const Value value = cursor.next();
    found.push_back(value.kind == ValueKind::Null ? "NULL" : "'" + std::string(value.text) + "'");
  }
  return found;
}

TEST(CopyText, ReadsValuesNullsAndEmptyTexts) {
  EXPECT_THAT(values("1\t\\N\t\tabc\n", 4), ElementsAre("'1'", "NULL", "''", "'abc'"));
  EXPECT_THAT(values("\\N", 1), ElementsAre("NULL"));
  EXPECT_THAT(values("\n", 1), ElementsAre("''"));
  EXPECT_THAT(values("\n", 0), ElementsAre());
}

TEST(CopyText, UndoesEveryEscape) {
  EXPECT_THAT(values("a\\tb\\nc\\rd\\be\\ff\\vg\\\\h\n", 1),
              ElementsAre("'a\tb\nc\rd\be\ff\vg\\h'"));
  // The text \N, and other characters behind a backslash.
  EXPECT_THAT(values("\\\\N\t\\x\t\\\\\n", 3), ElementsAre("'\\N'", "'x'", "'\\'"));
}

TEST(CopyText, RefusesAnotherNumberOfValues) {
  std::string tuple;
  for (const char* line : {"1\n", "1\t2\t3\n", ""}) {
    EXPECT_EQ(error_of([&] { tuple_of_copy_line(line, 2, tuple); }).kind(), ErrorKind::Fatal);
  }
  EXPECT_EQ(error_of([&] { tuple_of_copy_line("x\n", 0, tuple); }).kind(), ErrorKind::Fatal);
}

}  // namespace
}  // namespace re_dms::copy_text_test
