#include "warehouse/sql.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace re_dms::sql_test {
namespace {

TEST(Sql, QuotesNamesAndValues) {
  EXPECT_EQ(identifier("a\"b").text(), "\"a\"\"b\"");
  EXPECT_EQ(literal("it's \\ {}").text(), "'it''s \\ {}'");
  EXPECT_EQ(escaped_literal("it's \\ {}").text(), "'it''s \\\\ {}'");
  EXPECT_EQ(literal(Lsn{0x16B374D848}).text(), "97500059720");
  EXPECT_EQ(qualified("w", {"S", "t t"}).text(), "\"w\".\"S\".\"t t\"");
  EXPECT_EQ(qualified({"S", "t t"}).text(), "\"S\".\"t t\"");
  EXPECT_EQ(sql("SELECT {} FROM {}", literal("{}"), identifier("t")).text(),
            "SELECT '{}' FROM \"t\"");
  EXPECT_EQ(joined({sql("a"), sql("b")}).text(), "a, b");
  EXPECT_THROW(literal(std::string_view("a\0b", 3)), Error);
}

}  // namespace
}  // namespace re_dms::sql_test
