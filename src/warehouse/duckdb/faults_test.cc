#include "warehouse/duckdb/faults.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb::faults_test {
namespace {

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
  const auto shown = [](duckdb_error_type type, std::string_view text) {
    const std::string line = without_values(type, text);
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    return line;
  };
  constexpr auto kConversion = DUCKDB_ERROR_CONVERSION;
  EXPECT_EQ(shown(kConversion, "Could not convert string 'secret' to INT32\n'more'"),
            "Could not convert string '…");
  EXPECT_EQ(shown(kConversion, "Could not convert string 'a\nsecret' to INT32"),
            "Could not convert string '…");
  EXPECT_EQ(shown(kConversion, "Could not convert string 'it's secret' to INT32"),
            "Could not convert string '…");
  EXPECT_EQ(shown(kConversion, "Could not convert string \"secret\" to DECIMAL(10,2)"),
            "Could not convert string \"…");
  EXPECT_EQ(shown(kConversion, "timestamp field value out of range: \"secret\", expected format"),
            "timestamp field value out of range: \"…");
  EXPECT_EQ(shown(kConversion, "Malformed JSON at byte 5 of input.  Input: \"{\"a\":secret}\""),
            "Malformed JSON at byte 5 of input.  Input: \"…");
  EXPECT_EQ(shown(kConversion, "Type INT64 with value secret can't be cast to INT32"),
            "Type INT64 with value …");
  EXPECT_EQ(shown(DUCKDB_ERROR_CONSTRAINT, "Duplicate key \"id: secret\" violates unique"),
            "Duplicate key \"…");
  EXPECT_EQ(shown(DUCKDB_ERROR_TRANSACTION, "Failed to commit: duplicate key \"secret\""),
            "Failed to commit: duplicate key \"…");
  EXPECT_EQ(shown(DUCKDB_ERROR_INVALID_INPUT, "cut 'secr"), "cut '…");
  EXPECT_EQ(shown(DUCKDB_ERROR_CONSTRAINT, "NOT NULL constraint failed: items.a"),
            "NOT NULL constraint failed: items.a");
}

TEST(Faults, ShowNamesWhereDuckdbQuotesNamesOnly) {
  EXPECT_EQ(without_values(DUCKDB_ERROR_BINDER, "Column \"a\" is not in 'secret'"),
            "Column \"a\" is not in '…");
  EXPECT_EQ(without_values(DUCKDB_ERROR_IO, "Cannot open file \"/x/y\": No such file"),
            "Cannot open file \"/x/y\": No such file");
  EXPECT_EQ(
      without_values(DUCKDB_ERROR_TRANSACTION,
                     "Failed to commit: Could not write file \"/x/y\": No space left on device"),
      "Failed to commit: Could not write file \"/x/y\": No space left on device");
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

}  // namespace
}  // namespace re_dms::duckdb::faults_test
