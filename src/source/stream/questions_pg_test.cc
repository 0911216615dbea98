// What is asked of a real PostgreSQL beside set-up and stream: catalog, checks, teardown.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "source/catalog/catalog.h"
#include "source/setup/check_source.h"
#include "source/setup/slot_creation.h"
#include "source/setup/teardown.h"
#include "source/stream/catalog_questions.h"
#include "source/testing/database_test.h"
#include "source/testing/stream_probe.h"

namespace re_dms::questions_pg_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Questions : public DatabaseTest {};

TEST_F(Questions, ReadsTheCatalogAsTheStreamSeesIt) {
  execute(
      "CREATE DOMAIN money2 AS numeric(10,2); CREATE DOMAIN money3 AS money2 NOT NULL;"
      "CREATE TYPE mood AS ENUM ('a', 'b');"
      "CREATE TABLE t (id bigint PRIMARY KEY, gone int, price money3, moods mood[], v varchar(7),"
      " g int GENERATED ALWAYS AS (1) STORED, old int2vector, d int DEFAULT 5);"
      "ALTER TABLE t DROP COLUMN gone; INSERT INTO t (id, price) VALUES (1, 2);"
      "ALTER TABLE t ADD COLUMN m text DEFAULT 'it''s, {x}\"';"
      "ALTER TABLE t ADD COLUMN b box DEFAULT '(1,1),(0,0)'; ALTER TABLE t ADD COLUMN a int[] "
      "DEFAULT '{1,2}'; ALTER TABLE t ADD COLUMN later int; ALTER TABLE t ALTER later SET DEFAULT "
      "7");
  Connection connection(settings_, ConnectionPurpose::Sql);
  const Oid oid = static_cast<Oid>(std::stoul(execute("SELECT 't'::regclass::oid")));
  const auto read = [&] { return read_tables(connection, settings_.publication, {oid, 1}); };
  ASSERT_EQ(read().size(), 1U);
  const TableSchema table = read()[0].schema;
  EXPECT_EQ(to_string(table.name), "public.t");
  std::vector<std::string> names;
  for (const Column& column : table.columns) {
    names.push_back(std::to_string(column.attnum) + column.name + (column.key ? "*" : ""));
  }
  EXPECT_THAT(names, ElementsAre("1id*", "3price", "4moods", "5v", "7old", "8d", "9m", "10b", "11a",
                                 "12later"));
  const ColumnType& price = table.columns[1].type;
  EXPECT_EQ(price.name, "public.money3");
  EXPECT_EQ(price.typmod, -1);
  EXPECT_EQ(price.base_oid, 1700U);
  EXPECT_EQ(price.base_typmod, 655366);
  EXPECT_EQ(price.kind, 'b');
  EXPECT_NE(table.columns[2].type.element_oid, 0U);
  EXPECT_EQ(table.columns[3].type.base_typmod, 11);
  EXPECT_EQ(table.columns[4].type.element_oid, 0U);
  EXPECT_TRUE(table.columns[0].not_null);
  EXPECT_EQ(table.columns[5].missing, std::nullopt);
  EXPECT_EQ(table.columns[6].missing, "it's, {x}\"");
  EXPECT_EQ(table.columns[7].missing, "(1,1),(0,0)");
  EXPECT_EQ(table.columns[8].missing, "{1,2}");

  EXPECT_EQ(table.history, (TableHistory{oid, 12, 2}));
}

TEST_F(Questions, TellWhetherATableWasRewritten) {
  execute("CREATE TABLE t (id bigint PRIMARY KEY)");
  Connection connection(settings_, ConnectionPurpose::Sql);
  const Oid oid = static_cast<Oid>(std::stoul(execute("SELECT 't'::regclass::oid")));
  const auto after = [&](const char* statement) {
    execute(statement);
    return read_tables(connection, settings_.publication, {oid})[0].schema.history;
  };
  EXPECT_EQ(after("ALTER TABLE t ADD plain int, ADD stored int DEFAULT 7").file_node, oid);
  const TableHistory once = after("ALTER TABLE t ADD r double precision DEFAULT random()");
  EXPECT_NE(once.file_node, oid);
  EXPECT_EQ(after("ALTER TABLE t ALTER r DROP DEFAULT"), once);
  EXPECT_NE(after("ALTER TABLE t ADD s int GENERATED ALWAYS AS IDENTITY").file_node,
            once.file_node);
  EXPECT_EQ(after("ALTER TABLE t DROP plain, DROP s").last_dropped, 5);
}

TEST_F(Questions, ReadsManyTablesInOneQuery) {
  execute(
      "CREATE TABLE none (); CREATE TABLE full_identity (a int, b int);"
      "ALTER TABLE full_identity REPLICA IDENTITY FULL");
  Connection connection(settings_, ConnectionPurpose::Sql);
  std::vector<Oid> oids;
  for (const char* name : {"none", "full_identity"}) {
    oids.push_back(
        static_cast<Oid>(std::stoul(execute(std::string("SELECT '") + name + "'::regclass::oid"))));
  }
  const std::vector<CatalogTable> tables = read_tables(connection, settings_.publication, oids);
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_THAT(tables[0].schema.columns, IsEmpty());
  EXPECT_THAT(key_columns(tables[1].schema), IsEmpty());
}

class Facts : public Questions {
 protected:
  void SetUp() override {
    Questions::SetUp();
    execute(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY);"
        "CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);"
        "CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (9);"
        "CREATE PUBLICATION re_dms FOR TABLE t, root");
  }

  CatalogTable ask(const std::string& table) {
    const auto oid = static_cast<Oid>(std::stoul(execute("SELECT '" + table + "'::regclass::oid")));
    return read_tables(connection_.emplace(settings_, ConnectionPurpose::Sql),
                       settings_.publication, {oid})
        .at(0);
  }

  std::optional<Publishing> publishing(const std::string& table) {
    return ask(table).schema.publication;
  }

  /// Whether the table's way into the publication is another one after the statement.
  bool alters(const std::string& statement, const std::string& table = "t") {
    const auto before = publishing(table);
    execute(statement);
    return publishing(table) != before;
  }

  std::optional<Connection> connection_;
};

TEST_F(Facts, TellHowATableIsPublished) {
  const auto t = publishing("t");
  ASSERT_TRUE(t.has_value());
  EXPECT_EQ(std::to_string(t->publication.oid), execute("SELECT oid FROM pg_publication"));
  EXPECT_EQ(std::to_string(t->publication.xmin), execute("SELECT xmin FROM pg_publication"));
  ASSERT_EQ(t->path.size(), 1U);
  EXPECT_EQ(std::to_string(t->path[0].oid),
            execute("SELECT oid FROM pg_publication_rel WHERE prrelid = 't'::regclass"));
  EXPECT_EQ(publishing("other"), std::nullopt);
  EXPECT_EQ(publishing("leaf")->path.size(), 2U);
}

TEST_F(Facts, TellThatThePublicationWasAltered) {
  EXPECT_TRUE(alters("ALTER PUBLICATION re_dms SET (publish = 'insert')"));
  EXPECT_TRUE(
      alters("ALTER PUBLICATION re_dms SET (publish = 'insert, update, delete, truncate')"));
  EXPECT_TRUE(alters("ALTER PUBLICATION re_dms DROP TABLE t"));
  EXPECT_EQ(publishing("t"), std::nullopt);
  EXPECT_TRUE(alters("ALTER PUBLICATION re_dms ADD TABLE t"));
  EXPECT_TRUE(
      alters("ALTER PUBLICATION re_dms DROP TABLE t; ALTER PUBLICATION re_dms ADD TABLE t"));
  EXPECT_TRUE(alters("ALTER PUBLICATION re_dms SET TABLE t WHERE (id > 1), root"));
  EXPECT_TRUE(alters("DROP PUBLICATION re_dms; CREATE PUBLICATION re_dms FOR TABLE t, root"));
  EXPECT_TRUE(
      alters("ALTER TABLE root DETACH PARTITION leaf;"
             "ALTER TABLE root ATTACH PARTITION leaf FOR VALUES FROM (0) TO (9)",
             "leaf"));
}

TEST_F(Facts, StayThroughWhatLeavesATablesChangesInTheStream) {
  EXPECT_FALSE(alters("ALTER PUBLICATION re_dms ADD TABLE other"));
  EXPECT_FALSE(alters("ALTER PUBLICATION re_dms DROP TABLE other"));
  EXPECT_FALSE(alters("ALTER PUBLICATION re_dms SET TABLE t, root, other"));
  EXPECT_FALSE(alters("COMMENT ON PUBLICATION re_dms IS 'ours'"));
  EXPECT_FALSE(
      alters("ALTER TABLE t ADD COLUMN w int; ALTER TABLE t RENAME TO u;"
             "ALTER TABLE u RENAME TO t"));
  for (const char* vacuum : {"VACUUM (FREEZE)", "VACUUM (FULL)"}) {
    for (const char* catalog : {"pg_publication", "pg_publication_rel", "pg_inherits"}) {
      const auto before = std::pair(publishing("t"), publishing("leaf"));
      Connection(settings_, ConnectionPurpose::Sql)
          .query(std::string(vacuum) + " " + catalog, vacuum);
      EXPECT_EQ(std::pair(publishing("t"), publishing("leaf")), before) << vacuum << catalog;
    }
  }
}

TEST_F(Facts, TellAllTablesAndSchemasFromOne) {
  settings_.publication = "everything";
  EXPECT_EQ(publishing("t"), std::nullopt);
  execute("CREATE PUBLICATION everything FOR ALL TABLES");
  EXPECT_TRUE(publishing("other")->path.empty());
  execute("DROP PUBLICATION everything; CREATE PUBLICATION everything FOR TABLES IN SCHEMA public");
  EXPECT_EQ(std::to_string(publishing("other")->path.at(0).oid),
            execute("SELECT oid FROM pg_publication_namespace"));
}

TEST_F(Facts, TellThePrimaryKeyThatIsImmediate) {
  EXPECT_EQ(std::to_string(ask("t").primary_key->index), execute("SELECT 't_pkey'::regclass::oid"));
  execute(
      "CREATE TABLE turned (a int, b int, c int, PRIMARY KEY (c, a) INCLUDE (b));"
      "CREATE TABLE later (a int PRIMARY KEY DEFERRABLE); CREATE TABLE none (a int UNIQUE)");
  EXPECT_THAT(ask("turned").primary_key->columns, ElementsAre(3, 1));
  EXPECT_EQ(ask("later").primary_key, std::nullopt);
  EXPECT_EQ(ask("none").primary_key, std::nullopt);
}

TEST_F(Facts, NameTablesThatAreGone) {
  const CatalogTable gone = ask("other");
  const Oid t = ask("t").schema.oid;
  execute("DROP TABLE other");
  const Lsn dropped = *Lsn::parse(execute("SELECT pg_current_wal_insert_lsn()"));
  const auto published =
      read_published_tables(*connection_, settings_.publication, {gone.schema.oid, t});
  ASSERT_EQ(published.size(), 3U);
  TableSchema nothing_but_its_oid;
  nothing_but_its_oid.oid = gone.schema.oid;
  EXPECT_EQ(published[2].schema, nothing_but_its_oid);
  EXPECT_GE(published[2].asked_at, dropped);
  // One that never was, where there is no other.
  const auto nothing = read_published_tables(*connection_, "nowhere", {1});
  ASSERT_EQ(nothing.size(), 1U);
  EXPECT_GE(nothing[0].asked_at, dropped);
  EXPECT_THAT(read_tables(*connection_, settings_.publication, {gone.schema.oid}), IsEmpty());
}

TEST_F(Facts, AreAskedAfterAllTheyShow) {
  execute("ALTER TABLE t ADD COLUMN w int");
  const Lsn altered = *Lsn::parse(execute("SELECT pg_current_wal_insert_lsn()"));
  EXPECT_GE(ask("t").asked_at, altered);
}

TEST_F(Questions, SaysWhyItCannotConnect) {
  postgres_->execute(
      "DROP ROLE IF EXISTS needs_password; DROP ROLE IF EXISTS rejected;"
      "CREATE ROLE needs_password LOGIN PASSWORD 'right'; CREATE ROLE rejected LOGIN");
  const auto failure = [&](const std::string& url, const std::string& command = "") {
    SourceSettings settings;
    settings.url = url;
    settings.password_command = command;
    const Error error = error_of([&] { Connection(settings, ConnectionPurpose::Sql); });
    EXPECT_EQ(error.message().find("wrongpw"), std::string::npos);
    return error;
  };
  const std::string url = postgres_->url("needs_password");
  EXPECT_EQ(failure(url + "&password=wrongpw").kind(), ErrorKind::Fatal);
  EXPECT_THAT(failure(url + "&password=wrongpw").advice(), HasSubstr("password is wrong"));
  EXPECT_EQ(failure(url).kind(), ErrorKind::Fatal);
  EXPECT_EQ(failure(url, "echo right").message(), "nothing was thrown");
  EXPECT_EQ(failure(postgres_->url("postgres", "nowhere")).kind(), ErrorKind::Fatal);
  EXPECT_EQ(failure(postgres_->url("nobody")).kind(), ErrorKind::Fatal);
  EXPECT_THAT(failure(postgres_->url("rejected")).advice(), HasSubstr("pg_hba.conf"));
  EXPECT_EQ(failure("host=/nonexistent").kind(), ErrorKind::Transient);
}

TEST_F(Questions, GiveUpOnAnAnswerThatDoesNotCome) {
  Connection connection(settings_, ConnectionPurpose::Sql);
  connection.wait_at_most(std::chrono::milliseconds(200));
  Error error = error_of([&] { connection.query("SELECT pg_sleep(3600)", "waiting"); });
  EXPECT_EQ(error.kind(), ErrorKind::Transient);
  EXPECT_EQ(error.message(), "waiting: no answer within 0.2 s");
  error = error_of([&] { connection.query("SELECT 1", "asking"); });
  EXPECT_EQ(error.kind(), ErrorKind::Transient);
  EXPECT_THAT(error.message(), HasSubstr("asking: "));
  execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%sleep(3600)'");
}

/// What is new is handed on although the server cancels the question behind it.
TEST_F(Questions, KeepTheNewsWhenListingAllTablesTakesTooLong) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Origin origin = source.create_slot({}, no_intention).origin;
  execute(
      "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE many%s ()', i); END LOOP; "
      "END $$");
  Connection connection(settings_, ConnectionPurpose::Sql);
  bool told = false;
  bool listed = true;
  // How long either question takes depends on the machine.
  for (int tries = 0; tries < 200 && (!told || listed); ++tries) {
    connection.query(fmt::format("SET statement_timeout = {}", 1 + tries % 20), "preparing");
    ReportedAnswers reported;
    CatalogQuestions questions(settings_, origin, std::chrono::minutes(1), reported);
    const CatalogNews news = questions.ask_about_all(connection, real_clock().steady(), {});
    told = !news.block.empty();
    listed = news.left_out.has_value();
    EXPECT_EQ(news.answers.empty(), !told);
  }
  EXPECT_TRUE(told && !listed);
}

TEST_F(Questions, GiveTheLastResultOrTheFirstError) {
  Connection connection(settings_, ConnectionPurpose::Sql);
  EXPECT_EQ(connection.query("SELECT 1; SELECT 2", "asking").number(0, 0), 2);
  EXPECT_EQ(connection.query("SELECT 1; SET lock_timeout = 1", "asking").rows(), 0);
  EXPECT_THAT(error_of([&] { connection.query("SELECT 1; SELECT 1/0", "asking"); }).message(),
              HasSubstr("division by zero [22012]"));
  // More than a socket takes at once, both ways.
  const std::string much(4U << 20, 'x');
  EXPECT_EQ(connection.query("SELECT '" + much + "'", "asking").text(0, 0), much);
  error_of([&] { connection.query("SELECT pg_terminate_backend(pg_backend_pid())", "ending"); });
  EXPECT_EQ(error_of([&] { connection.query("SELECT 1", "asking"); }).kind(), ErrorKind::Transient);
}

TEST_F(Questions, ChecksWithoutChangingAnything) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE keyless (a int)");
  const std::vector<CheckResult> results = check_source(settings_, {});
  for (const CheckResult& result : results) {
    EXPECT_NE(result.status, CheckResult::Status::Fail) << result.name << ": " << result.finding;
  }
  EXPECT_THAT(results, Contains(::testing::Field(&CheckResult::finding, "public.keyless")));
  EXPECT_EQ(execute("SELECT count(*) FROM pg_publication"), "0");
  settings_.url = postgres_->url("postgres", "nowhere");
  const std::vector<CheckResult> unreachable = check_source(settings_, {});
  ASSERT_EQ(unreachable.size(), 1U);
  EXPECT_EQ(unreachable[0].status, CheckResult::Status::Fail);
  settings_.url = postgres_->url("postgres", database_);
}

TEST_F(Questions, TearsDownWhatItMadeUnlessSomebodyReads) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Origin origin = source.create_slot({}, no_intention).origin;
  {
    StreamProbe stream(settings_, origin, origin.consistent_point, origin.consistent_point);
    ASSERT_TRUE(eventually([&] { return stream.started(); }));
    const Error error = error_of([&] { drop_slot_and_publication(settings_, TeardownMode::Drop); });
    EXPECT_THAT(error.message(), HasSubstr("is read by process"));
  }
  ASSERT_TRUE(postgres_->becomes("SELECT count(*) FROM pg_stat_replication", "0"));
  EXPECT_THAT(drop_slot_and_publication(settings_, TeardownMode::Show),
              ElementsAre(HasSubstr("would drop slot"), HasSubstr("would drop publication")));
  EXPECT_EQ(slots(), "1");
  EXPECT_THAT(drop_slot_and_publication(settings_, TeardownMode::Drop),
              ElementsAre(HasSubstr("dropped slot"), HasSubstr("dropped publication")));
  EXPECT_EQ(slots(), "0");
  EXPECT_THAT(drop_slot_and_publication(settings_, TeardownMode::Drop),
              ElementsAre(HasSubstr("does not exist"), HasSubstr("does not exist")));
}

TEST_F(Questions, SeesThatATableWasWrittenAnewAfterTheSnapshot) {
  for (const char* change :
       {"TRUNCATE b", "ALTER TABLE b ALTER id TYPE bigint", "VACUUM FULL b",
        "ALTER TABLE b ADD COLUMN r float DEFAULT random()", "ALTER TABLE b RENAME TO c",
        "ALTER TABLE b RENAME TO c; CREATE TABLE b ()", "DROP TABLE b"}) {
    execute(
        "DROP TABLE IF EXISTS b, c; CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)");
    const std::string oid = execute("SELECT 'b'::regclass::oid");
    const CandidateTable table{static_cast<Oid>(std::stoul(oid)), {"public", "b"}, ""};
    Connection snapshot(settings_, ConnectionPurpose::Sql);
    snapshot.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ; SELECT 1", "looking");
    EXPECT_TRUE(holds_rows(snapshot, table));
    Connection other(settings_, ConnectionPurpose::Sql);
    other.query("SET search_path = public", "preparing");
    other.query(change, change);
    const Error error = error_of([&] { holds_rows(snapshot, table); });
    EXPECT_EQ(error.kind(), ErrorKind::Transient) << change << ": " << error.what();
  }
}

}  // namespace
}  // namespace re_dms::questions_pg_test
