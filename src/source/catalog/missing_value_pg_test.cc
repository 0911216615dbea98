// What the catalog says of the values that rows have in a column added later, against what the
// server prints for such a row.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "source/catalog/catalog.h"
#include "source/connection/sql_text.h"
#include "source/testing/database_test.h"

namespace re_dms::missing_value_pg_test {
namespace {

/// A value of each base type, range and multirange, hard to quote where the type allows it.
const std::map<std::string, std::string> kValues = {
    {"aclitem", "postgres=r/postgres"},
    {"bit", "1"},
    {"bool", "true"},
    {"box", "(1,1),(0,0)"},
    {"bpchar", " ,;{}\"\\' x  "},
    {"bytea", "\\x00ff5c"},
    {"char", "\""},
    {"cid", "7"},
    {"cidr", "10.0.0.0/8"},
    {"circle", "<(1,2),3>"},
    {"date", "2024-02-29"},
    {"datemultirange", "{[2024-01-01,2024-02-01),[2025-01-01,)}"},
    {"daterange", "[2024-01-01,2024-02-01)"},
    {"float4", "0.1"},
    {"float8", "NaN"},
    {"inet", "::1/64"},
    {"int2", "-2"},
    {"int4", "4"},
    {"int4multirange", "{}"},
    {"int4range", "empty"},
    {"int8", "8"},
    {"int8multirange", "{[1,2),[3,4)}"},
    {"int8range", "[1,2)"},
    {"interval", "1 year -2 days 03:04:05.6"},
    {"json", "{\"k\": [\"a\\\\b\", null, \"{;:,}\"]}"},
    {"jsonb", "{\"k\": [\"a\\\\b\", null, \"{;:,}\"]}"},
    {"jsonpath", "$.\"a b\"[*]"},
    {"line", "{1,2,3}"},
    {"lseg", "[(1,2),(3,4)]"},
    {"macaddr", "08:00:2b:01:02:03"},
    {"macaddr8", "08:00:2b:01:02:03:04:05"},
    {"money", "$1,234.56"},
    {"name", "a,\"b\""},
    {"numeric", "1.00"},
    {"nummultirange", "{[1.5,2.5]}"},
    {"numrange", "[1.5,2.5]"},
    {"oid", "9"},
    {"path", "((1,2),(3,4))"},
    {"pg_lsn", "16/B374D848"},
    {"pg_snapshot", "10:20:10,14,15"},
    {"point", "(1,2)"},
    {"polygon", "((0,0),(1,1),(1,0))"},
    {"refcursor", "c \"d\""},
    {"regclass", "pg_class"},
    {"regcollation", "\"C\""},
    {"regconfig", "simple"},
    {"regdictionary", "simple"},
    {"regnamespace", "pg_catalog"},
    {"regoper", "||/"},
    {"regoperator", "*(integer,integer)"},
    {"regproc", "now"},
    {"regprocedure", "abs(integer)"},
    {"regtype", "integer[]"},
    {"text", "N\\\\ULL \"{,;:}'\n\té"},
    {"tid", "(1,2)"},
    {"time", "04:05:06.7"},
    {"timestamp", "2024-02-29 12:00:00.000001"},
    {"timestamptz", "2024-02-29 12:00:00+02"},
    {"timetz", "04:05:06+02"},
    {"tsmultirange", "{[\"2024-01-01 00:00:00\",\"2024-02-01 00:00:00\")}"},
    {"tsquery", "'a b' & !'c''d'"},
    {"tsrange", "[\"2024-01-01 00:00:00\",)"},
    {"tstzmultirange", "{[\"2024-01-01 00:00:00+00\",\"2024-02-01 00:00:00+00\")}"},
    {"tstzrange", "[\"2024-01-01 00:00:00+00\",)"},
    {"tsvector", "'a \"b\"':1A 'c''d'"},
    {"txid_snapshot", "10:20:10,14,15"},
    {"uuid", "00000000-0000-0000-0000-000000000001"},
    {"varbit", "101"},
    {"varchar", ""},
    {"xid", "11"},
    {"xid8", "12"},
    {"xml", "<a b=\"c\">;</a>"},
    // Of this test's own, made by MissingValue.
    {"public.mood", "so, \"so\""},
    {"public.pair", "(1,\"a \"\"b\"\",{}\")"},
    {"public.floats", "(0.5,1.5)"},
    {"public.\"D, text\"", "\"NULL\"\\ "},
    {"public.of_arrays", "{1,NULL}"},
    {"public.of_domain", "{1,NULL}"},
    {"public.of_boxes", "{(1,1),(0,0);(3,3),(2,2)}"},
};

class MissingValue : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    execute(
        "CREATE TYPE mood AS ENUM ('so, \"so\"'); CREATE TYPE pair AS (a int, b text);"
        "CREATE TYPE floats AS RANGE (subtype = float8);"
        "CREATE DOMAIN \"D, text\" AS text; CREATE DOMAIN of_arrays AS int[];"
        "CREATE DOMAIN of_domain AS of_arrays; CREATE DOMAIN of_boxes AS box[];"
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  }

  /// Adds a column of that type and arrays of it: with a NULL, of two dimensions, of other bounds.
  static std::string add_columns(const std::string& type, const std::string& value, int number) {
    std::string element = "\"";
    for (const char c : value) {
      element += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    element += '"';
    const char delimiter = type.find("box") != std::string::npos ? ';' : ',';
    const std::string pair = fmt::format("{{{0}{1}{0}}}", element, delimiter);
    const std::string with_null = fmt::format("{{NULL{1}{0}}}", element, delimiter);
    return fmt::format(
        "ALTER TABLE public.t ADD c{0} {1} DEFAULT {2}, ADD a{0} {1}[] DEFAULT {3}, ADD n{0} {1}[] "
        "DEFAULT {4}, ADD b{0} {1}[] DEFAULT {5};",
        number, type, quote_literal(value), quote_literal(with_null),
        quote_literal(fmt::format("{{{}{}{}}}", pair, delimiter, with_null)),
        quote_literal("[-1:0]=" + pair));
  }
};

TEST_F(MissingValue, ValuesAreKnownForEveryTypeAColumnCanHave) {
  Connection connection(settings_, ConnectionPurpose::Sql);
  // The rest cannot be written as a literal, or not in a default.
  const QueryResult types = connection.query(
      "SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN "
      "('b', 'r', 'm') AND typoutput <> 'array_out'::regproc AND typsubscript <> "
      "'array_subscript_handler'::regproc AND typname !~ "
      "'^(pg_node_tree|pg_ndistinct|pg_dependencies|pg_mcv_list|pg_brin_.*|gtsvector|regrole)$'",
      "listing types");
  EXPECT_GT(types.rows(), 60);
  for (int row = 0; row < types.rows(); ++row) {
    EXPECT_TRUE(kValues.contains(std::string(types.text(row, 0)))) << types.text(row, 0);
  }
}

TEST_F(MissingValue, IsWhatTheServerPrintsForARowThatWasThere) {
  std::string sql;
  int number = 0;
  for (const auto& [type, value] : kValues) {
    sql += add_columns(type.starts_with("public.") ? type : "pg_catalog.\"" + type + "\"", value,
                       ++number);
  }
  Connection connection(settings_, ConnectionPurpose::Sql);
  connection.query(sql + "ALTER TABLE public.t ADD none text, ADD nothing text[] DEFAULT NULL",
                   "adding columns");
  const Oid oid = connection.query("SELECT 'public.t'::regclass::oid", "asking").oid(0, 0);
  const QueryResult row = connection.query("SELECT * FROM public.t", "reading the row");
  const std::vector<Column> columns = read_tables(connection, "re_dms", {oid}).at(0).schema.columns;
  ASSERT_EQ(columns.size(), 4 * kValues.size() + 3);
  // The first column is as old as the row.
  for (int i = 1; i < static_cast<int>(columns.size()); ++i) {
    const Column& column = columns[static_cast<std::size_t>(i)];
    EXPECT_EQ(column.missing, row.optional_text(0, i)) << column.type.name;
  }
  EXPECT_FALSE(columns.back().missing);
}

}  // namespace
}  // namespace re_dms::missing_value_pg_test
