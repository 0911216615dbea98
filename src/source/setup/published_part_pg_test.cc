// Column lists and row filters, as PostgreSQL has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/catalog/catalog.h"
#include "source/catalog/published_part.h"
#include "source/setup/check_source.h"
#include "source/testing/database_test.h"

namespace re_dms::published_part_pg_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PublishedParts : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (Connection(settings_, ConnectionPurpose::Sql).server_version() < kPostgres15) {
      GTEST_SKIP() << "no lists and filters before PostgreSQL 15";
    }
    execute(
        "CREATE TABLE t (a int, gone int, \"B b\" text, id int PRIMARY KEY, c int,"
        " g int GENERATED ALWAYS AS (a + 1) STORED); ALTER TABLE t DROP COLUMN gone");
  }

  void publish(const std::string& what) {
    execute("DROP PUBLICATION IF EXISTS re_dms; CREATE PUBLICATION re_dms " + what);
  }

  Oid oid(Connection& connection, const std::string& table) {
    return connection.query("SELECT 'public." + table + "'::regclass::oid", "asking").oid(0, 0);
  }

  CatalogTable answer(const std::string& table = "t") {
    Connection connection(settings_, ConnectionPurpose::Sql);
    return read_tables(connection, "re_dms", {oid(connection, table)}).at(0);
  }

  std::vector<std::string> columns() {
    std::vector<std::string> names;
    for (const Column& column : answer().schema.columns) {
      names.push_back(column.name + (column.key ? " key" : ""));
    }
    return names;
  }

  std::string filter(const std::string& table = "t") {
    Connection connection(settings_, ConnectionPurpose::Sql);
    return row_filter(connection, "re_dms", oid(connection, table));
  }

  /// Of the only part that is published.
  std::string problem() {
    Connection connection(settings_, ConnectionPurpose::Sql);
    return part_problem(published_parts(connection, "re_dms").at(0), "re_dms");
  }

  /// Whether PostgreSQL refuses the application's UPDATE.
  bool breaks_updates() {
    return error_of([&] { execute("UPDATE t SET c = 1"); }).kind() == ErrorKind::Fatal;
  }
};

TEST_F(PublishedParts, TheCatalogHasTheColumnsOfTheListInTheTablesOrder) {
  EXPECT_THAT(columns(), ElementsAre("a", "B b", "id key", "c"));
  publish("FOR TABLE t (c, id, \"B b\")");
  EXPECT_THAT(columns(), ElementsAre("B b", "id key", "c"));
  const Publishing listed = answer().schema.publication.value();
  execute("ALTER PUBLICATION re_dms SET TABLE t (c, id)");
  EXPECT_THAT(columns(), ElementsAre("id key", "c"));
  EXPECT_NE(answer().schema.publication, listed);
  execute("ALTER PUBLICATION re_dms SET TABLE t");
  EXPECT_THAT(columns(), ElementsAre("a", "B b", "id key", "c"));
  publish("FOR ALL TABLES");
  EXPECT_THAT(columns(), ElementsAre("a", "B b", "id key", "c"));
  // Another publication's list is nobody's business.
  execute("CREATE PUBLICATION other FOR TABLE t (id)");
  EXPECT_THAT(columns(), ElementsAre("a", "B b", "id key", "c"));
}

TEST_F(PublishedParts, AKeyOutsideTheListIsNotSent) {
  publish("FOR TABLE t (a, id)");
  EXPECT_FALSE(answer().unsent_key);
  publish("FOR TABLE t (a)");
  EXPECT_TRUE(answer().unsent_key);
  execute("CREATE TABLE g (a int GENERATED ALWAYS AS (1) STORED PRIMARY KEY)");
  EXPECT_TRUE(answer("g").unsent_key);
}

TEST_F(PublishedParts, TheFilterIsACondition) {
  publish("FOR TABLE t");
  EXPECT_EQ(filter(), "");
  publish("FOR TABLE t WHERE (id > 1 AND \"B b\" LIKE 'x''%' OR c IS NULL)");
  execute("INSERT INTO t (id, \"B b\", c) VALUES (1, 'x''', 1), (2, 'x''', 1), (3, 'y', 1)");
  EXPECT_EQ(execute("SELECT string_agg(id::text, ',') FROM t WHERE " + filter()), "2");
  execute("ALTER TABLE t RENAME \"B b\" TO plain");
  EXPECT_THAT(filter(), AllOf(HasSubstr("plain"), Not(HasSubstr("B b"))));
  execute("ALTER PUBLICATION re_dms ADD TABLES IN SCHEMA public");
  EXPECT_EQ(filter(), "");
}

/// The filter of a leaf is its own; its root cannot have one here.
TEST_F(PublishedParts, LeavesHaveTheirOwn) {
  execute(
      "CREATE TABLE root (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);"
      "CREATE TABLE first PARTITION OF root FOR VALUES FROM (0) TO (10);"
      "CREATE TABLE second PARTITION OF root DEFAULT");
  for (const char* part : {"root (id)", "root WHERE (id > 3)"}) {
    EXPECT_THAT(error_of([&] { publish("FOR TABLE " + std::string(part)); }).message(),
                HasSubstr("publish_via_partition_root"));
  }
  publish("FOR TABLE root, first (id) WHERE (id > 3)");
  EXPECT_EQ(answer("first").schema.columns.size(), 1U);
  EXPECT_EQ(filter("first"), "(id > 3)");
  EXPECT_EQ(answer("second").schema.columns.size(), 2U);
  EXPECT_EQ(filter("second"), "");
}

TEST_F(PublishedParts, OnesThatBreakTheApplicationAreNamed) {
  const auto expect_broken = [&](const std::string& what, const std::string& words) {
    publish("FOR TABLE t " + what);
    EXPECT_TRUE(breaks_updates()) << what;
    EXPECT_THAT(problem(), HasSubstr(words)) << what;
  };
  const auto expect_fine = [&](const std::string& what) {
    publish("FOR TABLE t " + what);
    EXPECT_FALSE(breaks_updates()) << what;
    EXPECT_EQ(problem(), "") << what;
  };
  expect_broken("(a)", "lacks id");
  expect_fine("(a, id)");
  expect_broken("WHERE (id > c AND \"B b\" <> '')", "needs \"B b\", c");
  expect_fine("WHERE (id > 1)");
  expect_broken("(id, c) WHERE (c > 1)", "USING INDEX");
  execute("ALTER TABLE t REPLICA IDENTITY FULL");
  expect_fine("WHERE (c > 1)");
  expect_broken("(a, \"B b\", id, c)", "REPLICA IDENTITY FULL");
}

TEST_F(PublishedParts, CheckNamesThem) {
  publish("FOR TABLE t (a, id) WHERE (id > 1)");
  EXPECT_THAT(
      check_source(settings_, {}),
      Contains(AllOf(Field(&CheckResult::finding, "public.t: columns a, id; rows where (id > 1)"),
                     Field(&CheckResult::fix, IsEmpty()))));
  publish("FOR TABLE t (a)");
  EXPECT_THAT(check_source(settings_, {}),
              Contains(AllOf(Field(&CheckResult::finding, "public.t: columns a"),
                             Field(&CheckResult::fix, HasSubstr("lacks id")))));
}

}  // namespace
}  // namespace re_dms::published_part_pg_test
