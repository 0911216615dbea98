// Which rows and columns a copy reads of a table that is published in part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/connection/identity.h"
#include "source/copy/snapshot_reader.h"
#include "source/testing/database_test.h"

namespace re_dms::published_rows_pg_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PublishedRows : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    if (Connection(settings_, ConnectionPurpose::Sql).server_version() < kPostgres15) {
      GTEST_SKIP() << "no lists and filters before PostgreSQL 15";
    }
    // Seven rows a page.
    execute(
        "CREATE TABLE t (id int PRIMARY KEY, hidden text, a int) WITH (fillfactor = 10);"
        "INSERT INTO t SELECT i, repeat('x', 80), -i FROM generate_series(-20, 20) i;"
        "CREATE PUBLICATION re_dms FOR TABLE t (a, id) WHERE (id > 0 OR id = -20)");
  }

  /// A reader in a snapshot of now.
  std::unique_ptr<SnapshotReader> reader() {
    const Origin origin = identify_source(settings_);
    const ExportedSnapshot snapshot(settings_, origin, std::chrono::seconds(10), {});
    return std::make_unique<SnapshotReader>(settings_, origin, snapshot, std::stop_token());
  }

  Oid table() { return static_cast<Oid>(std::stoul(execute("SELECT 't'::regclass::oid"))); }

  std::vector<std::string> read(SnapshotReader& reader, const PageRange& pages) {
    const Oid oid = table();
    const CatalogTable answer = reader.tables({oid}).at(0);
    reader.begin_rows(answer.schema, reader.marks({oid}).at(oid), pages);
    std::vector<std::string> rows;
    while (const auto line = reader.next_row()) {
      rows.emplace_back(line->substr(0, line->size() - 1));
    }
    return rows;
  }
};

TEST_F(PublishedRows, RangesHaveThemTogether) {
  const auto copy = reader();
  std::vector<std::string> rows;
  for (const PageRange& pages : {PageRange{0, 2}, {2, 3}, {3, 5}, {5, std::nullopt}}) {
    for (std::string& row : read(*copy, pages)) {
      rows.push_back(std::move(row));
    }
  }
  EXPECT_EQ(rows, read(*copy, {}));
  EXPECT_EQ(rows.size(), 21U);
  EXPECT_EQ(rows.front(), "-20\t20");
}

TEST_F(PublishedRows, TheSnapshotSaysWhich) {
  const auto before = reader();
  execute("ALTER PUBLICATION re_dms SET TABLE t (id) WHERE (id = 1)");
  EXPECT_EQ(read(*before, {}).size(), 21U);
  EXPECT_THAT(read(*reader(), {}), ElementsAre("1"));
}

TEST_F(PublishedRows, NothingElseHasToBeReadable) {
  execute(
      "CREATE ROLE reads_a_part LOGIN REPLICATION; GRANT USAGE ON SCHEMA public TO reads_a_part;"
      "GRANT SELECT (id, a) ON t TO reads_a_part");
  settings_.url = postgres_->url("reads_a_part", database_);
  const auto copy = reader();
  settings_.url = postgres_->url("postgres", database_);
  EXPECT_EQ(read(*copy, {}).size(), 21U);
  execute("REVOKE SELECT (a) ON t FROM reads_a_part");
  EXPECT_THAT(error_of([&] { read(*copy, {}); }).message(), HasSubstr("permission denied"));
  execute("DROP OWNED BY reads_a_part; DROP ROLE reads_a_part");
}

}  // namespace
}  // namespace re_dms::published_rows_pg_test
