// Which tables can be replicated, and how the others are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "source/catalog/candidates.h"
#include "source/catalog/catalog.h"
#include "source/setup/check_source.h"
#include "source/testing/database_test.h"

namespace re_dms::candidates_pg_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Candidates : public DatabaseTest {};

// PostgreSQL 15 to 17 send no generated column.
TEST_F(Candidates, AKeyWithAGeneratedColumnIsNone) {
  const std::string columns = " (a int NOT NULL, g int GENERATED ALWAYS AS (a * 2) STORED NOT NULL";
  execute("CREATE TABLE composite" + columns + ", PRIMARY KEY (a, g));" + "CREATE TABLE alone" +
          columns + ", PRIMARY KEY (g));" + "CREATE TABLE by_index" + columns +
          "); CREATE UNIQUE INDEX i ON by_index (g, a);" +
          "ALTER TABLE by_index REPLICA IDENTITY USING INDEX i;" + "CREATE TABLE beside" + columns +
          ", PRIMARY KEY (a));" + "CREATE TABLE included" + columns +
          ", PRIMARY KEY (a) INCLUDE (g));" + "CREATE TABLE other_index" + columns +
          ", PRIMARY KEY (a, g));" + "CREATE UNIQUE INDEX o ON other_index (a) INCLUDE (g);" +
          "ALTER TABLE other_index REPLICA IDENTITY USING INDEX o;" + "CREATE TABLE whole_rows" +
          columns + ", PRIMARY KEY (a, g));" + "ALTER TABLE whole_rows REPLICA IDENTITY FULL");
  Source source(settings_);
  const SlotCreation creation = source.create_slot({}, no_intention);
  std::vector<std::string> admitted;
  for (const CatalogTable& table : creation.tables) {
    EXPECT_TRUE(table.admitted);
    EXPECT_FALSE(table.unsent_key);
    admitted.push_back(table.schema.name.name);
  }
  EXPECT_THAT(admitted, UnorderedElementsAre("beside", "included", "other_index", "whole_rows"));
  for (const char* table : {"composite", "alone", "by_index"}) {
    EXPECT_THAT(reason_for(creation.left_out, table),
                AllOf(HasSubstr("generated column g"), HasSubstr("REPLICA IDENTITY FULL")));
    EXPECT_THAT(check_source(settings_, {}),
                Contains(AllOf(Field(&CheckResult::finding, std::string("public.") + table),
                               Field(&CheckResult::fix, HasSubstr("generated column g")))));
  }
  EXPECT_EQ(execute("SELECT count(*) FROM pg_publication_tables WHERE tablename IN ('composite', "
                    "'alone', 'by_index')"),
            "0");
}

TEST_F(Candidates, NamesThatAreNotUtf8AreLeftOutReadably) {
  const std::string database = database_ + "_ascii";
  postgres_->execute("CREATE DATABASE " + database +
                     " TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'");
  // By convert_from no statement has to hold the byte.
  const std::string byte = "convert_from('\\xe9', 'SQL_ASCII')";
  settings_.url = postgres_->url("postgres", database);
  execute(
      "DO $$ BEGIN EXECUTE 'CREATE TABLE \"t' || " + byte +
      " || '\" (id int PRIMARY KEY)'; EXECUTE 'CREATE TABLE named (id int PRIMARY KEY, \"c' || " +
      byte + " || '\" int)'; END $$; CREATE TABLE good (\"\u00e4\u20ac\" int PRIMARY KEY)");
  Source source(settings_);
  const SlotCreation creation = source.create_slot({}, no_intention);
  EXPECT_EQ(creation.origin.admitted.size(), 1U);
  EXPECT_THAT(reason_for(creation.left_out, "t\\351"), HasSubstr("SQL_ASCII"));
  EXPECT_THAT(reason_for(creation.left_out, "named"), HasSubstr("not UTF-8: c\\351"));
  EXPECT_EQ(reason_for(creation.left_out, "good"), "not left out");
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
}

TEST_F(Candidates, TheCatalogTellsOfAKeyThatIsNotSent) {
  execute(
      "CREATE TABLE t (a int PRIMARY KEY, g int GENERATED ALWAYS AS (a * 2) STORED NOT NULL);"
      "CREATE UNIQUE INDEX i ON t (a) INCLUDE (g)");
  Connection connection(settings_, ConnectionPurpose::Sql);
  const Oid oid = connection.query("SELECT 'public.t'::regclass::oid", "asking").oid(0, 0);
  const auto unsent = [&](const std::string& change) {
    execute(change);
    return read_tables(connection, "re_dms", {oid}).at(0).unsent_key;
  };
  EXPECT_FALSE(unsent("SELECT 1"));
  EXPECT_TRUE(unsent("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (a, g)"));
  EXPECT_FALSE(unsent("ALTER TABLE t REPLICA IDENTITY FULL"));
  EXPECT_FALSE(unsent("ALTER TABLE t REPLICA IDENTITY USING INDEX i"));
  EXPECT_TRUE(unsent("ALTER TABLE t REPLICA IDENTITY DEFAULT"));
}

}  // namespace
}  // namespace re_dms::candidates_pg_test
