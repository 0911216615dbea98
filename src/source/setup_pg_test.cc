// First starts, later starts, checks and teardown against a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "source/catalog.h"
#include "source/check_source.h"
#include "source/connection.h"
#include "source/slot_creation.h"
#include "source/source.h"
#include "source/teardown.h"
#include "source/testing/stream_probe.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void no_intention(const Origin& origin) {
  EXPECT_FALSE(origin.created);
}

template <typename F>
Error error_of(F step) {
  try {
    step();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::Usage, "nothing was thrown"};
}

class Setup : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { postgres_ = new ThrowawayPostgres(); }

  static void TearDownTestSuite() {
    delete postgres_;
    postgres_ = nullptr;
  }

  /// Each test has a database of its own.
  void SetUp() override {
    database_ = "db" + std::to_string(++databases_);
    postgres_->execute("CREATE DATABASE " + database_);
    settings_.url = postgres_->url("postgres", database_);
    settings_.slot = "slot_" + database_;
    settings_.lock_timeout = std::chrono::milliseconds(500);
  }

  void TearDown() override {
    execute("DO $$ BEGIN PERFORM pg_drop_replication_slot('" + settings_.slot +
            "'); EXCEPTION WHEN undefined_object THEN NULL; END $$");
  }

  std::string execute(const std::string& sql) {
    Connection connection(settings_, ConnectionPurpose::Sql);
    const QueryResult result = connection.query("SET search_path = public; " + sql, sql);
    return result.rows() > 0 ? std::string(result.text(0, 0)) : "";
  }

  std::string reason_for(const std::vector<LeftOut>& left_out, const std::string& table) {
    const auto found = std::find_if(left_out.begin(), left_out.end(),
                                    [&](const LeftOut& l) { return l.table.name == table; });
    return found == left_out.end() ? "not left out" : found->reason;
  }

  std::string slots() {
    return execute("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" +
                   settings_.slot + "'");
  }

  static inline ThrowawayPostgres* postgres_ = nullptr;
  static inline int databases_ = 0;
  std::string database_;
  SourceSettings settings_;
};

TEST_F(Setup, AdmitsEmptyTablesAndNamesTheOthers) {
  execute(
      "CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE full_of_rows (id int PRIMARY KEY);"
      "INSERT INTO full_of_rows VALUES (1); CREATE TABLE keyless (a int);"
      "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);"
      "CREATE TABLE identity_full (id int PRIMARY KEY); ALTER TABLE identity_full REPLICA IDENTITY "
      "FULL; CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);"
      "CREATE TABLE skipped (id int PRIMARY KEY);"
      "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE leaf PARTITION OF parted DEFAULT;"
      "CREATE TABLE \"By Index\" (a int NOT NULL, b int); CREATE UNIQUE INDEX i ON \"By Index\" (a)"
      " INCLUDE (b); ALTER TABLE \"By Index\" REPLICA IDENTITY USING INDEX i");
  settings_.exclude = {"public.skipped"};
  Source source(settings_);
  int intentions = 0;
  const SlotCreation creation = source.create_slot(false, [&](const Origin& origin) {
    ++intentions;
    EXPECT_FALSE(origin.created);
    EXPECT_EQ(slots(), "0");
  });
  EXPECT_EQ(intentions, 1);
  EXPECT_TRUE(creation.origin.created);
  EXPECT_TRUE(creation.origin.consistent_point.known());
  std::vector<std::string> admitted;
  for (const CatalogTable& table : creation.tables) {
    admitted.push_back(table.schema.name.name + (table.admitted ? "" : " not"));
  }
  EXPECT_THAT(admitted,
              ::testing::UnorderedElementsAre("empty", "full_of_rows not", "leaf", "By Index"));
  EXPECT_THAT(reason_for(creation.left_out, "full_of_rows"), HasSubstr("already holds rows"));
  EXPECT_THAT(reason_for(creation.left_out, "keyless"), HasSubstr("ADD PRIMARY KEY"));
  EXPECT_THAT(reason_for(creation.left_out, "unlogged"), HasSubstr("SET LOGGED"));
  EXPECT_THAT(reason_for(creation.left_out, "identity_full"), HasSubstr("FULL"));
  EXPECT_THAT(reason_for(creation.left_out, "deferred"), HasSubstr("deferrable"));
  EXPECT_EQ(reason_for(creation.left_out, "skipped"), "not left out");
  EXPECT_EQ(execute("SELECT puballtables FROM pg_publication"), "f");
  // The application goes on working: tables without identity are not published.
  execute("INSERT INTO keyless VALUES (1); UPDATE keyless SET a = 2");
  source.verify(creation.origin);
  EXPECT_THAT(reason_for(source.left_out(), "full_of_rows"), HasSubstr("held rows"));
  EXPECT_GE(source.current_lsn(), creation.origin.consistent_point);
}

TEST_F(Setup, ReadsTheCatalogAsTheStreamSeesIt) {
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
  const auto read = [&] { return read_tables(connection, {oid, 1}); };
  ASSERT_EQ(read().size(), 1U);
  const TableSchema table = read()[0];
  EXPECT_EQ(to_string(table.name), "public.t");
  std::vector<std::string> names;
  for (const Column& column : table.columns) {
    names.push_back(std::to_string(column.attnum) + column.name + (column.key ? "*" : ""));
    EXPECT_FALSE(column.default_not_stored) << column.name;
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

  execute("ALTER TABLE t ADD COLUMN r double precision DEFAULT random()");
  EXPECT_TRUE(read()[0].columns.back().default_not_stored);
  execute("ALTER TABLE t ADD COLUMN s int GENERATED ALWAYS AS IDENTITY");
  EXPECT_TRUE(read()[0].columns.back().default_not_stored);
  execute("ALTER TABLE t ADD COLUMN plain int");
  EXPECT_FALSE(read()[0].columns.back().default_not_stored);
}

TEST_F(Setup, ReadsManyTablesInOneQuery) {
  execute(
      "CREATE TABLE none (); CREATE TABLE full_identity (a int, b int);"
      "ALTER TABLE full_identity REPLICA IDENTITY FULL");
  Connection connection(settings_, ConnectionPurpose::Sql);
  std::vector<Oid> oids;
  for (const char* name : {"none", "full_identity"}) {
    oids.push_back(
        static_cast<Oid>(std::stoul(execute(std::string("SELECT '") + name + "'::regclass::oid"))));
  }
  const std::vector<TableSchema> tables = read_tables(connection, oids);
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_THAT(tables[0].columns, IsEmpty());
  EXPECT_EQ(key_columns(tables[1]).size(), 2U);
}

TEST_F(Setup, RefusesASlotThatIsNotOurs) {
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot(false, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.advice(), HasSubstr("pg_drop_replication_slot"));
  EXPECT_EQ(slots(), "1");
}

TEST_F(Setup, DropsTheSlotOfAnInterruptedFirstStart) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  Source source(settings_);
  const SlotCreation creation = source.create_slot(true, no_intention);
  EXPECT_EQ(creation.origin.admitted.size(), 1U);
}

TEST_F(Setup, SaysWhomTheSlotWaitsFor) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  SourceSettings writer_settings = settings_;
  writer_settings.url += "&application_name=nightly%20job";
  Connection writer(writer_settings, ConnectionPurpose::Sql);
  writer.query("BEGIN; INSERT INTO public.t VALUES (1)", "writing");
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot(false, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Transient);
  EXPECT_THAT(error.message(), HasSubstr("nightly job"));
  EXPECT_EQ(slots(), "0");
  writer.query("PREPARE TRANSACTION 'stuck'", "preparing");
  EXPECT_THAT(error_of([&] { source.create_slot(true, no_intention); }).message(),
              HasSubstr("prepared transaction 'stuck'"));
  writer.query("ROLLBACK PREPARED 'stuck'", "ending");
  EXPECT_EQ(source.create_slot(true, no_intention).origin.admitted.size(), 1U);
}

TEST_F(Setup, HoldsNoTableLockWhileTheSlotIsMade) {
  settings_.lock_timeout = std::chrono::seconds(20);
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)");
  Connection writer(settings_, ConnectionPurpose::Sql);
  writer.query("BEGIN; INSERT INTO public.other VALUES (1)", "writing");
  std::jthread creating([&] {
    Source source(settings_);
    EXPECT_EQ(source.create_slot(false, no_intention).origin.admitted.size(), 2U);
  });
  ASSERT_TRUE(postgres_->becomes(
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE_REPLICATION_SLOT%' AND "
      "wait_event = 'transactionid'",
      "1"));
  // An ALTER by the transaction the slot waits for would deadlock with a lock of ours.
  writer.query(
      "SET lock_timeout = '2s'; ALTER TABLE public.t ADD COLUMN c int; DELETE FROM "
      "public.other; COMMIT",
      "altering");
}

TEST_F(Setup, SeesThatATableWasWrittenAnewAfterTheSnapshot) {
  execute("CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)");
  const auto oid = static_cast<Oid>(std::stoul(execute("SELECT 'b'::regclass::oid")));
  for (const char* change : {"TRUNCATE b", "ALTER TABLE b ALTER id TYPE bigint", "VACUUM FULL b",
                             "ALTER TABLE b ADD COLUMN r float DEFAULT random()", "DROP TABLE b"}) {
    Connection snapshot(settings_, ConnectionPurpose::Sql);
    snapshot.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ; SELECT 1", "looking");
    EXPECT_NO_THROW(require_unchanged_files(snapshot, {oid}));
    Connection other(settings_, ConnectionPurpose::Sql);
    other.query("SET search_path = public", "preparing");
    other.query(change, change);
    const Error error = error_of([&] { require_unchanged_files(snapshot, {oid}); });
    EXPECT_EQ(error.kind(), ErrorKind::Transient) << change << ": " << error.what();
  }
}

TEST_F(Setup, RefusesPublicationsThatWouldLoseOrBreak) {
  execute("CREATE TABLE t (id int PRIMARY KEY, a int)");
  Source source(settings_);
  const auto refusal = [&](const std::string& publication) {
    execute("DROP PUBLICATION IF EXISTS re_dms; CREATE PUBLICATION re_dms " + publication);
    const Error error = error_of([&] { source.create_slot(false, no_intention); });
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    return error.message();
  };
  EXPECT_THAT(refusal("FOR ALL TABLES"), HasSubstr("FOR ALL TABLES"));
  EXPECT_THAT(refusal("FOR TABLES IN SCHEMA public"), HasSubstr("IN SCHEMA"));
  EXPECT_THAT(refusal("FOR TABLE t WITH (publish = 'insert')"), HasSubstr("kinds of change"));
  EXPECT_THAT(refusal("FOR TABLE t (id)"), HasSubstr("some rows or columns of public.t"));
  EXPECT_THAT(refusal("FOR TABLE t WHERE (id > 1)"), HasSubstr("some rows or columns"));
  EXPECT_THAT(refusal("FOR TABLE t WITH (publish_via_partition_root)"), HasSubstr("root"));
  execute("DROP PUBLICATION re_dms; CREATE PUBLICATION re_dms");
  EXPECT_EQ(source.create_slot(false, no_intention).origin.admitted.size(), 1U);
}

TEST_F(Setup, CreatesNothingWithoutAutoSetup) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)");
  settings_.auto_setup = false;
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot(false, no_intention); });
  EXPECT_THAT(error.advice(), HasSubstr("CREATE PUBLICATION"));
  EXPECT_THAT(error.advice(), HasSubstr("pg_create_logical_replication_slot"));
  execute("CREATE PUBLICATION re_dms FOR TABLE t");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  const SlotCreation creation = source.create_slot(false, no_intention);
  EXPECT_EQ(creation.origin.admitted.size(), 1U);
  EXPECT_THAT(reason_for(creation.left_out, "u"), HasSubstr("not in the publication"));
  EXPECT_TRUE(creation.origin.consistent_point.known());
}

TEST_F(Setup, NeedsOnlyTheRightsItAsksFor) {
  execute(
      "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION re_dms FOR TABLE t;"
      "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN");
  settings_.url = postgres_->url("reader", database_);
  Source source(settings_);
  Error error = error_of([&] { source.create_slot(false, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.advice(), HasSubstr("REPLICATION"));
  postgres_->execute("ALTER ROLE reader REPLICATION");
  const SlotCreation creation = source.create_slot(false, no_intention);
  EXPECT_THAT(reason_for(creation.left_out, "t"), HasSubstr("GRANT SELECT"));
  settings_.url = postgres_->url("postgres", database_);
}

TEST_F(Setup, SaysWhyItCannotConnect) {
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

TEST_F(Setup, RefusesAnotherOriginOnLaterStarts) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Origin origin = source.create_slot(false, no_intention).origin;
  const auto refusal = [&](auto change) {
    Origin other = origin;
    change(other);
    const Error error = error_of([&] { source.verify(other); });
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    return error.message();
  };
  EXPECT_THAT(refusal([](Origin& o) { o.system_identifier = "1"; }), HasSubstr("cluster"));
  EXPECT_THAT(refusal([](Origin& o) { o.database = "x"; }), HasSubstr("database"));
  EXPECT_THAT(refusal([](Origin& o) { o.timeline = 9; }), HasSubstr("timeline"));
  execute("SELECT pg_drop_replication_slot('" + settings_.slot + "')");
  EXPECT_THAT(refusal([](Origin&) {}), HasSubstr("gone"));
  execute("SELECT pg_create_physical_replication_slot('" + settings_.slot + "')");
  EXPECT_THAT(refusal([](Origin&) {}), HasSubstr("physical"));
  execute("SELECT pg_drop_replication_slot('" + settings_.slot + "')");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  execute("DROP PUBLICATION re_dms");
  EXPECT_THAT(refusal([](Origin&) {}), HasSubstr("publication"));
}

TEST_F(Setup, ChecksWithoutChangingAnything) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE keyless (a int)");
  const std::vector<CheckResult> results = check_source(settings_);
  for (const CheckResult& result : results) {
    EXPECT_NE(result.status, CheckResult::Status::Fail) << result.name << ": " << result.finding;
  }
  EXPECT_THAT(results, Contains(::testing::Field(&CheckResult::finding, "public.keyless")));
  EXPECT_EQ(execute("SELECT count(*) FROM pg_publication"), "0");
  settings_.url = postgres_->url("postgres", "nowhere");
  const std::vector<CheckResult> unreachable = check_source(settings_);
  ASSERT_EQ(unreachable.size(), 1U);
  EXPECT_EQ(unreachable[0].status, CheckResult::Status::Fail);
  settings_.url = postgres_->url("postgres", database_);
}

TEST_F(Setup, TearsDownWhatItMadeUnlessSomebodyReads) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Origin origin = source.create_slot(false, no_intention).origin;
  {
    StreamProbe stream(settings_, origin, origin.consistent_point, origin.consistent_point);
    ASSERT_TRUE(postgres_->becomes("SELECT count(*) FROM pg_stat_replication", "1"));
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
              ElementsAre(HasSubstr("is not there"), HasSubstr("is not there")));
}

}  // namespace
}  // namespace re_dms
