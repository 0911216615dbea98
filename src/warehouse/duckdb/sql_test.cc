#include "warehouse/duckdb/sql.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "warehouse/duckdb/faults.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb {

TEST(Sql, QuotesNamesAndValues) {
  EXPECT_EQ(identifier("a\"b").text(), "\"a\"\"b\"");
  EXPECT_EQ(literal("it's \\ {}").text(), "'it''s \\ {}'");
  EXPECT_EQ(literal(Lsn{0x16B374D848}).text(), "97500059720");
  EXPECT_EQ(qualified("w", {"S", "t t"}).text(), "\"w\".\"S\".\"t t\"");
  EXPECT_EQ(sql("SELECT {} FROM {}", literal("{}"), identifier("t")).text(),
            "SELECT '{}' FROM \"t\"");
  EXPECT_EQ(joined({sql("a"), sql("b")}).text(), "a, b");
  EXPECT_THROW(literal(std::string_view("a\0b", 3)), Error);
}

TEST(Sql, AnyTextIsOneValueToDuckdb) {
  Session session({":memory:", 0, ""}, FileAccess::ReadWrite);
  for (const char* text :
       {"", "'", "''", "\\", "\\'", "\n;--", "$$", "\xEF\xBB\xBF", "{}", "?", "é😀"}) {
    const auto rows =
        session.query(sql("SELECT {} AS {}", literal(text), identifier(std::string("n") + text)));
    EXPECT_EQ(rows.at(0).at(0), text);
  }
}

TEST(Faults, ShowNoValues) {
  EXPECT_EQ(without_values("Conversion Error: Could not convert string 'secret' to INT32\n'more'"),
            "Conversion Error: Could not convert string '…' to INT32");
  EXPECT_EQ(without_values("cut 'secr"), "cut '…");
}

TEST(Faults, TellWhoseTroubleItIs) {
  constexpr auto kTable = ErrorKind::Table;
  const auto kind = [](duckdb_error_type type, const char* text, ErrorKind fault) {
    return statement_error(type, text, fault).kind();
  };
  EXPECT_EQ(kind(DUCKDB_ERROR_IO, "No space left on device", kTable), ErrorKind::Transient);
  EXPECT_EQ(kind(DUCKDB_ERROR_FATAL, "x", kTable), ErrorKind::Transient);
  EXPECT_EQ(kind(DUCKDB_ERROR_CONVERSION, "x", kTable), kTable);
  EXPECT_EQ(kind(DUCKDB_ERROR_INTERNAL, "x", kTable), kTable);
  EXPECT_EQ(kind(DUCKDB_ERROR_INTERNAL, "x", ErrorKind::Fatal), ErrorKind::Transient);
  EXPECT_EQ(kind(DUCKDB_ERROR_OUT_OF_MEMORY, "x", kTable), kTable);
  EXPECT_EQ(kind(DUCKDB_ERROR_OUT_OF_MEMORY, "x", ErrorKind::Fatal), ErrorKind::Transient);
  // A full disk is everybody's.
  EXPECT_EQ(
      kind(DUCKDB_ERROR_OUT_OF_MEMORY, "failed to offload data block of size 32.0 KiB", kTable),
      ErrorKind::Transient);
}

TEST(Session, StatementsTellWhoseFaultTheyAre) {
  Session session({":memory:", 0, ""}, FileAccess::ReadWrite);
  const auto kind = [&](Blame blame) {
    try {
      session.execute(sql("SELECT CAST('x' AS INTEGER)"), blame);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::Usage;
  };
  EXPECT_EQ(kind(Blame::Target), ErrorKind::Fatal);
  EXPECT_EQ(kind(Blame::Table), ErrorKind::Table);
}

}  // namespace re_dms::duckdb
