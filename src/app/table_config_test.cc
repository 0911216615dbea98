#include "app/table_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"
#include "app/testing/config_text.h"
#include "source/catalog/pattern.h"

namespace re_dms::table_config_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using namespace config_text;

TEST(TableConfig, TheFirstSectionThatMatchesATableCounts) {
  EXPECT_TRUE(parse(kFourLines).source.tables.empty());
  const SourceSettings source =
      parse_more(
          "[[table]]\nmatch = \"public.orders\"\ninitial_copy = \"adopt\"\n"
          "[[table]]\nmatch = \"public.log_*\"\ninitial_copy = \"never\"\n"
          "[[table]]\nmatch = \"public.*\"\n[[table]]\ninitial_copy = \"never\"\n")
          .source;
  ASSERT_EQ(source.tables.size(), 4U);
  const TableRules rules(source.tables);
  EXPECT_EQ(rules.initial_copy({"public", "orders"}), InitialCopy::Adopt);
  EXPECT_EQ(rules.initial_copy({"public", "log_1"}), InitialCopy::Never);
  EXPECT_EQ(rules.initial_copy({"public", "other"}), InitialCopy::Auto);
  EXPECT_EQ(rules.initial_copy({"shop", "orders"}), InitialCopy::Never);
  EXPECT_EQ(TableRules({}).initial_copy({"shop", "orders"}), InitialCopy::Auto);
}

TEST(TableConfig, DroppedColumnsAreKeptWhereThatIsWanted) {
  const Config config = parse_more(
      "[[table]]\nmatch = \"public.orders\"\non_drop_column = \"keep\"\n"
      "[[table]]\nmatch = \"public.log\"\non_drop_column = \"drop\"\n");
  const TableRules rules(config.source.tables);
  EXPECT_TRUE(rules.keeps_columns({"public", "orders"}));
  EXPECT_FALSE(rules.keeps_columns({"public", "log"}));
  EXPECT_FALSE(rules.keeps_columns({"public", "other"}));
  EXPECT_EQ(more_faults("[[table]]\non_drop_column = \"null\"\n"),
            "/etc/x/re.toml:6: table[1].on_drop_column: found \"null\", expected \"drop\" or "
            "\"keep\"");
}

TEST(TableConfig, OddValuesByTableAndColumn) {
  const Config config = parse_more(
      "[[table]]\nmatch = \"public.orders\"\nbad_values = \"error\"\n"
      "column_bad_values = { note = \"truncate\", \"Odd Name\" = \"null\" }\n");
  const TableRules rules(config.source.tables);
  const QualifiedName orders{"public", "orders"};
  EXPECT_EQ(rules.bad_values(orders, "id"), BadValues::Error);
  EXPECT_EQ(rules.bad_values(orders, "note"), BadValues::Truncate);
  EXPECT_EQ(rules.bad_values(orders, "Odd Name"), BadValues::Null);
  EXPECT_EQ(rules.bad_values({"public", "other"}, "note"), BadValues::Usual);
}

constexpr const char* kRedshift =
    "[source]\nurl = \"postgresql://re_dms@db:5432/app\"\n"
    "[stage]\nurl = \"s3://bucket/prefix\"\nregion = \"eu-west-1\"\n"
    "[warehouse]\nurl = \"redshift://loader@cluster:5439/dev\"\niam_role = \"default\"\n";

TEST(TableConfig, LayoutsAndTypesOfTablesInRedshift) {
  const Config config = parse(std::string(kRedshift) +
                              "[[table]]\nmatch = \"public.orders\"\ndistkey = \"customer\"\n"
                              "sortkey = [\"day\", \"id\"]\n"
                              "types = { payload = \"super\", note = \"varchar(65535)\" }\n"
                              "[[table]]\nmatch = \"public.small\"\ndiststyle = \"all\"\n"
                              "sortkey = \"id\"\n");
  const TableRules rules(config.source.tables);
  const QualifiedName orders{"public", "orders"};
  EXPECT_EQ(rules.layout(orders), (TableLayout{.distkey = "customer", .sortkey = {"day", "id"}}));
  EXPECT_EQ(rules.layout({"public", "small"}),
            (TableLayout{.diststyle = "all", .sortkey = {"id"}}));
  EXPECT_EQ(rules.layout({"public", "other"}), TableLayout{});
  EXPECT_EQ(rules.target_type(orders, "payload"), "super");
  EXPECT_EQ(rules.target_type(orders, "note"), "varchar(65535)");
  EXPECT_EQ(rules.target_type(orders, "id"), "");
  EXPECT_EQ(rules.target_type({"public", "small"}, "payload"), "");
}

TEST(TableConfig, FaultsOfLayoutsAndTypes) {
  const auto table_faults = [](const std::string& keys) {
    return faults(std::string(kRedshift) + "[[table]]\n" + keys);
  };
  EXPECT_THAT(table_faults("diststyle = \"customer\"\n"), HasSubstr("a column stands in distkey"));
  EXPECT_THAT(table_faults("diststyle = \"all\"\ndistkey = \"id\"\n"),
              HasSubstr("goes without diststyle"));
  EXPECT_THAT(table_faults("sortkey = [\"a\", \"b\", \"a\"]\n"), HasSubstr("a column twice"));
  EXPECT_THAT(table_faults("sortkey = 1\n"), HasSubstr("table[1].sortkey"));
  for (const char* const type :
       {"text", "varchar", "varchar(0)", "varchar(65536)", "varchar(9", "varchar(9)x", "SUPER"}) {
    EXPECT_THAT(table_faults(std::string("types = { a = \"") + type + "\" }\n"),
                HasSubstr("expected \"super\" or \"varchar(N)\""))
        << type;
  }
  const std::string refused =
      more_faults("[[table]]\ndistkey = \"id\"\nsortkey = \"id\"\ntypes = { a = \"super\" }\n");
  for (const char* const key : {"distkey", "sortkey", "types"}) {
    EXPECT_THAT(refused, HasSubstr(std::string("table[1].") + key + ": counts for Redshift only"));
  }
}

TEST(TableConfig, ColumnsThatNoTableOfASectionHas) {
  const Config config = parse(std::string(kRedshift) +
                              "[[table]]\nmatch = \"public.orders\"\ndistkey = \"custmer\"\n"
                              "sortkey = [\"id\"]\ntypes = { Id = \"varchar(9)\" }\n"
                              "column_bad_values = { note = \"null\" }\n"
                              "[[table]]\nmatch = \"public.*\"\nsortkey = \"id\"\n"
                              "[[table]]\nmatch = \"shop.*\"\nsortkey = \"nothing\"\n");
  const TableRules rules(config.source.tables);
  const auto table = [](const std::string& name, const std::string& column) {
    TableSchema schema;
    schema.name = {"public", name};
    schema.columns.resize(1);
    schema.columns[0].name = column;
    return schema;
  };
  EXPECT_THAT(rules.unknown_columns({table("orders", "id"), table("a", "x"), table("b", "id")}),
              ElementsAre("table[1].column_bad_values names \"note\"",
                          "table[1].distkey names \"custmer\"", "table[1].types names \"Id\""));
  EXPECT_THAT(rules.unknown_columns({table("a", "x")}),
              ElementsAre("table[2].sortkey names \"id\""));
  EXPECT_TRUE(rules.unknown_columns({}).empty());
}

TEST(TableConfig, FaultsOfTableSectionsAreNamedWithTheirLines) {
  EXPECT_EQ(
      more_faults("[[table]]\nmatch = \"a.b.c\"\n"
                  "[[table]]\nmach = \"a\"\ninitial_copy = \"no\"\n"),
      "/etc/x/re.toml:6: table[1].match: \"a.b.c\" is not a table pattern; write "
      "\"schema.table\", with * and ? for any letters and double quotes around special names\n"
      "/etc/x/re.toml:8: table[2].mach: unknown key; did you mean table[2].match?\n"
      "/etc/x/re.toml:9: table[2].initial_copy: found \"no\", expected \"auto\", \"adopt\" or "
      "\"never\"");
  EXPECT_EQ(
      more_faults("[[table]]\ncolumn_bad_values = { note = \"no\" }\n"),
      "/etc/x/re.toml:6: table[1].column_bad_values: found note = \"no\", expected \"usual\", "
      "\"error\", \"null\", \"clamp\" or \"truncate\"");
  EXPECT_THAT(more_faults("[[table]]\ncolumn_bad_values = \"null\"\n"),
              HasSubstr("found \"null\", expected names with strings"));
  EXPECT_EQ(more_faults("[table]\nmatch = \"a\"\n"),
            "/etc/x/re.toml:5: table: found a section, expected sections [[table]]");
  EXPECT_THAT(faults(std::string("table = 1\n") + kFourLines),
              HasSubstr(":1: table: found the number 1, expected sections [[table]]"));
  EXPECT_THAT(more_faults("[[tabel]]\n"), HasSubstr("unknown section; did you mean table?"));
}

}  // namespace
}  // namespace re_dms::table_config_test
