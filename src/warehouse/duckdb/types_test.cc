#include "warehouse/duckdb/types.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/duckdb/session.h"

namespace re_dms::duckdb::types_test {

namespace {

ColumnType type_of(Oid oid, std::int32_t typmod = -1) {
  ColumnType type;
  type.oid = oid;
  type.base_oid = oid;
  type.base_typmod = typmod;
  return type;
}

ColumnType numeric(int precision, int scale) {
  return type_of(1700, (precision << 16 | (scale & 0x7FF)) + 4);
}

/// What DuckDB shows of a text after its conversion; nothing when it refuses it.
std::optional<std::string> converted(const ColumnType& type, const std::string& text) {
  static Session session({":memory:", 0, ""}, FileAccess::ReadWrite);
  try {
    std::string shown =
        session
            .query(sql("SELECT {} FROM (SELECT {} AS v)", from_text(type, sql("v")), literal(text)),
                   Blame::Table)
            .at(0)
            .at(0)
            .value();
    return shown;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Table) << text;
    return std::nullopt;
  }
}

struct Example {
  std::string text;
  std::string shown;
};

void expect_all(const ColumnType& type, const std::string& target,
                const std::vector<Example>& examples) {
  EXPECT_EQ(target_type(type).text(), target);
  for (const Example& example : examples) {
    EXPECT_EQ(converted(type, example.text), example.shown) << target << " " << example.text;
  }
}

void expect_same(const ColumnType& type, const std::string& target,
                 const std::vector<std::string>& texts) {
  EXPECT_EQ(target_type(type).text(), target);
  for (const std::string& text : texts) {
    EXPECT_EQ(converted(type, text), text) << target;
  }
}

void expect_refused(const ColumnType& type, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    EXPECT_EQ(converted(type, text), std::nullopt) << text;
  }
}

TEST(Types, Integers) {
  expect_same(type_of(21), "SMALLINT", {"0", "-32768", "32767"});
  expect_same(type_of(23), "INTEGER", {"-2147483648", "2147483647"});
  expect_same(type_of(20), "BIGINT", {"-9223372036854775808", "9223372036854775807"});
  expect_refused(type_of(21), {"32768", "x", ""});
}

TEST(Types, Floats) {
  expect_all(type_of(701), "DOUBLE",
             {{"1.1", "1.1"},
              {"5e-324", "5e-324"},
              {"-0", "-0.0"},
              {"NaN", "nan"},
              {"Infinity", "inf"},
              {"-Infinity", "-inf"},
              {"1e+15", "1000000000000000.0"},
              {"1.7976931348623157e+308", "1.7976931348623157e+308"},
              {"0.30000000000000004", "0.30000000000000004"}});
  expect_all(type_of(700), "FLOAT",
             {{"3.4028235e+38", "3.4028235e+38"},
              {"1e-45", "1e-45"},
              {"1.6777216e+07", "16777216.0"},
              {"0.1", "0.1"},
              {"-0", "-0.0"},
              {"NaN", "nan"},
              {"-Infinity", "-inf"}});
}

TEST(Types, NumericsKeepEveryDigit) {
  expect_same(numeric(10, 2), "DECIMAL(10,2)", {"0.00", "-99999999.99", "99999999.99"});
  expect_same(numeric(38, 0), "DECIMAL(38,0)", {std::string(38, '9'), "-" + std::string(38, '9')});
  // DuckDB shows no zero before the point when no digit has its place there.
  expect_all(numeric(38, 38), "DECIMAL(38,38)",
             {{"0." + std::string(38, '9'), "." + std::string(38, '9')}});
  expect_refused(numeric(10, 2), {"NaN", "100000000.00"});
  const std::vector<std::string> any = {"1.500", "NaN", "Infinity", "0.00000000000000000001",
                                        std::string(400, '9')};
  for (const ColumnType& type : {type_of(1700), numeric(39, 0), numeric(3, -2), numeric(2, 5)}) {
    expect_same(type, "VARCHAR", any);
  }
}

TEST(Types, Booleans) {
  expect_all(type_of(16), "BOOLEAN", {{"t", "true"}, {"f", "false"}});
  expect_refused(type_of(16), {"x"});
}

TEST(Types, TextsKeepTheirBlanks) {
  for (const Oid oid : {25U, 1042U, 1043U, 18U, 19U, 114U, 142U, 790U, 1266U, 869U, 0U, 98765U}) {
    expect_same(type_of(oid), "VARCHAR",
                {"ab   ", "", " ", "12:00:00+05:30", "{\"a\":\"\\u0000\"}"});
  }
}

TEST(Types, DatesOfAllEras) {
  expect_all(type_of(1082), "DATE",
             {{"2024-02-29", "2024-02-29"},
              {"infinity", "infinity"},
              {"-infinity", "-infinity"},
              {"0044-03-15 BC", "0044-03-15 (BC)"},
              {"0001-01-01 BC", "0001-01-01 (BC)"},
              {"4713-01-01 BC", "4713-01-01 (BC)"},
              {"10000-01-01", "10000-01-01"},
              {"5874897-12-31", "5874897-12-31"}});
}

TEST(Types, TimesUpToMidnight) {
  expect_same(type_of(1083), "TIME", {"00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.1"});
}

TEST(Types, Timestamps) {
  expect_all(type_of(1114), "TIMESTAMP",
             {{"2024-01-01 00:00:00", "2024-01-01 00:00:00"},
              {"4713-01-01 00:00:00 BC", "4713-01-01 (BC) 00:00:00"},
              {"10000-01-01 00:00:00.1", "10000-01-01 00:00:00.1"},
              {"294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775806"},
              {"infinity", "infinity"},
              {"-infinity", "-infinity"}});
  // The first value beyond the largest would read back as infinity.
  expect_refused(type_of(1114), {"294276-12-31 23:59:59.999999", "294247-01-10 04:00:54.775807"});
  expect_all(type_of(1184), "TIMESTAMP WITH TIME ZONE",
             {{"2024-06-30 18:30:00.5+00", "2024-06-30 18:30:00.5+00"},
              {"0044-03-15 12:00:00+00 BC", "0044-03-15 (BC) 12:00:00+00"},
              {"infinity", "infinity"},
              {"-infinity", "-infinity"}});
  expect_refused(type_of(1184), {"294276-12-31 23:59:59.999999+00"});
}

/// DuckDB's INTERVAL takes 1 mon and 30 days for equal, and an UPDATE from one to the other changes
/// nothing.
TEST(Types, IntervalsAreTexts) {
  expect_same(type_of(1186), "VARCHAR",
              {"1 year 2 mons -3 days +04:05:06.7", "1 mon", "30 days", "infinity"});
}

TEST(Types, UuidsAndBytes) {
  expect_same(type_of(2950), "UUID",
              {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"});
  expect_all(type_of(17), "BLOB", {{"\\x", ""}, {"\\x00ff41", "\\x00\\xFFA"}});
  expect_refused(type_of(17), {"\\000\\377", "abcd"});
}

TEST(Types, JsonbKeepsItsText) {
  expect_same(type_of(3802), "JSON",
              {"{\"a\": 1.50, \"b\": [null, true]}", "null", "\"é\\\\\"", std::string(131072, '9'),
               std::string(6000, '[') + std::string(6000, ']'), "1e400", "\"\\ud83d\\ude00\""});
}

TEST(Types, ContainersAndEnumsAreTexts) {
  ColumnType array = type_of(1007);
  array.element_oid = 23;
  ColumnType label = type_of(50001);
  label.kind = 'e';
  ColumnType range = type_of(3904);
  range.kind = 'r';
  for (const ColumnType& type : {array, label, range}) {
    expect_same(type, "VARCHAR", {"{1,NULL,3}", "{}", "[1,6)", "h i"});
    EXPECT_FALSE(conversion_can_fail(type));
  }
}

TEST(Types, ADomainIsItsBase) {
  ColumnType domain = numeric(10, 2);
  domain.oid = 50002;
  domain.typmod = -1;
  EXPECT_EQ(target_type(domain).text(), "DECIMAL(10,2)");
}

/// Texts that PostgreSQL writes, of values that lie close together.
TEST(Types, StoredTextsTellWhetherAValueIsTheSame) {
  const std::vector<std::pair<ColumnType, std::vector<std::string>>> samples = {
      {type_of(16), {"t", "f"}},
      {type_of(20), {"0", "-1", "1", "10"}},
      {type_of(701), {"0", "-0", "6", "60", "6.5", "1e+20", "0.1"}},
      {type_of(700), {"0", "-0", "6", "1e+20", "0.1"}},
      {numeric(12, 2), {"0.00", "5.20", "-5.20", "52.00"}},
      {type_of(1082), {"2026-11-29", "0044-03-15", "infinity"}},
      {type_of(1114), {"2026-11-29 14:00:00", "2026-11-29 14:00:00.5", "infinity"}},
      {type_of(1184), {"2026-11-29 14:00:00+00", "2026-11-29 14:00:00.000001+00"}},
      {type_of(2950), {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
  };
  for (const auto& [type, texts] : samples) {
    for (const std::string& stored : texts) {
      for (const std::string& text : texts) {
        EXPECT_EQ(is_written_as(type, converted(type, stored).value(), text), stored == text)
            << type.base_oid << ": " << stored << " and " << text;
      }
    }
  }
  EXPECT_FALSE(has_telling_text(type_of(17)));
  EXPECT_TRUE(has_telling_text(type_of(1184)));
  // DuckDB's text of the second one is the first one.
  EXPECT_FALSE(is_written_as(type_of(1184),
                             converted(type_of(1184), "294246-12-31 23:59:59.999999+00").value(),
                             "294247-01-01 00:00:00.000999+00"));
}

}  // namespace
}  // namespace re_dms::duckdb::types_test
