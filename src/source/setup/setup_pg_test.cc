// First and later starts against a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "source/setup/check_source.h"
#include "source/testing/database_test.h"

namespace re_dms::setup_pg_test {
namespace {

using ::testing::HasSubstr;

class Setup : public DatabaseTest {};

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
  const SlotCreation creation = source.create_slot({}, [&](const Origin& origin) {
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
  EXPECT_THAT(admitted, ::testing::UnorderedElementsAre("empty", "full_of_rows not",
                                                        "identity_full", "leaf", "By Index"));
  EXPECT_EQ(reason_for(creation.left_out, "full_of_rows"), "not left out");
  EXPECT_THAT(reason_for(creation.left_out, "keyless"), HasSubstr("ADD PRIMARY KEY"));
  EXPECT_THAT(reason_for(creation.left_out, "unlogged"), HasSubstr("SET LOGGED"));
  EXPECT_THAT(reason_for(creation.left_out, "deferred"), HasSubstr("deferrable"));
  EXPECT_EQ(reason_for(creation.left_out, "skipped"), "not left out");
  EXPECT_EQ(execute("SELECT puballtables FROM pg_publication"), "f");
  // The application goes on working: tables without identity are not published.
  execute("INSERT INTO keyless VALUES (1); UPDATE keyless SET a = 2");
  source.verify(creation.origin);
  EXPECT_EQ(reason_for(source.left_out(), "full_of_rows"), "not left out");
  EXPECT_GE(source.current_lsn(), creation.origin.consistent_point);
}

TEST_F(Setup, RefusesASlotThatIsNotOurs) {
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot({}, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.advice(), HasSubstr("pg_drop_replication_slot"));
  EXPECT_EQ(slots(), "1");
}

TEST_F(Setup, DropsTheSlotOfAnInterruptedFirstStart) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  Source source(settings_);
  const SlotCreation creation = source.create_slot(source.identify(), no_intention);
  EXPECT_EQ(creation.origin.admitted.size(), 1U);
}

TEST_F(Setup, DropsTheSlotOfAnInterruptedFirstStartUnderItsOldName) {
  execute("SELECT pg_create_logical_replication_slot('old', 'pgoutput')");
  Source source(settings_);
  Origin intended = source.identify();
  intended.slot = "old";
  source.drop_slot_of(intended);
  source.drop_slot_of(intended);
  EXPECT_EQ(execute("SELECT slot_name FROM pg_replication_slots"), "");
}

TEST_F(Setup, LeavesASlotThatCannotBeTheOneOfAnInterruptedFirstStart) {
  execute("SELECT pg_create_physical_replication_slot('standby')");
  Source source(settings_);
  Origin intended = source.identify();
  intended.slot = "standby";
  source.drop_slot_of(intended);
  EXPECT_EQ(execute("SELECT slot_name FROM pg_replication_slots"), "standby");
  EXPECT_EQ(execute("SELECT pg_drop_replication_slot('standby')"), "");
}

TEST_F(Setup, RefusesAnInterruptedFirstStartOfAnotherCluster) {
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  Source source(settings_);
  Origin intended = source.identify();
  intended.system_identifier = "1";
  for (const Error& error : {error_of([&] { source.create_slot(intended, no_intention); }),
                             error_of([&] { source.drop_slot_of(intended); })}) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.message(), HasSubstr("of the cluster 1"));
  }
  EXPECT_EQ(slots(), "1");
}

/// Who fails before it intends anything leaves the earlier intention and its slot; who fails later
/// leaves neither.
TEST_F(Setup, DropsTheSlotOfAnInterruptedFirstStartOnceItIntends) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE excluded (id int PRIMARY KEY)");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  execute("CREATE PUBLICATION " + settings_.publication + " FOR TABLE excluded");
  settings_.exclude = {"public.excluded"};
  Source source(settings_);
  const Origin intended = source.identify();
  const auto fail = [](const Origin&) { throw Error(ErrorKind::Fatal, "the disk is full"); };
  Error error = error_of([&] { source.create_slot(intended, fail); });
  EXPECT_THAT(error.message(), HasSubstr("excluded"));
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
  EXPECT_EQ(slots(), "1");
  execute("DROP PUBLICATION " + settings_.publication);
  error = error_of([&] { source.create_slot(intended, fail); });
  EXPECT_THAT(error.message(), HasSubstr("the disk is full"));
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
  EXPECT_EQ(slots(), "0");
}

TEST_F(Setup, SaysWhomTheSlotWaitsFor) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  SourceSettings writer_settings = settings_;
  writer_settings.url += "&application_name=nightly%20job";
  Connection writer(writer_settings, ConnectionPurpose::Sql);
  writer.query("BEGIN; INSERT INTO public.t VALUES (1)", "writing");
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot({}, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Transient);
  EXPECT_THAT(error.message(), HasSubstr("nightly job"));
  EXPECT_EQ(slots(), "0");
  writer.query("PREPARE TRANSACTION 'stuck'", "preparing");
  EXPECT_THAT(error_of([&] { source.create_slot(source.identify(), no_intention); }).message(),
              HasSubstr("prepared transaction 'stuck'"));
  writer.query("ROLLBACK PREPARED 'stuck'", "ending");
  EXPECT_EQ(source.create_slot(source.identify(), no_intention).origin.admitted.size(), 1U);
}

TEST_F(Setup, HoldsNoTableLockWhileTheSlotIsMade) {
  settings_.lock_timeout = std::chrono::seconds(20);
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)");
  Connection writer(settings_, ConnectionPurpose::Sql);
  writer.query("BEGIN; INSERT INTO public.other VALUES (1)", "writing");
  std::jthread creating([&] {
    Source source(settings_);
    EXPECT_EQ(source.create_slot({}, no_intention).origin.admitted.size(), 2U);
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

TEST_F(Setup, RefusesPublicationsThatWouldLoseOrBreak) {
  execute("CREATE TABLE t (id int PRIMARY KEY, a int)");
  Source source(settings_);
  const auto refusal = [&](const std::string& publication) {
    execute("DROP PUBLICATION IF EXISTS re_dms; CREATE PUBLICATION re_dms " + publication);
    const Error error = error_of([&] { source.create_slot({}, no_intention); });
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    return error.message();
  };
  EXPECT_THAT(refusal("FOR ALL TABLES"), HasSubstr("FOR ALL TABLES"));
  EXPECT_THAT(refusal("FOR TABLES IN SCHEMA public"), HasSubstr("IN SCHEMA"));
  EXPECT_THAT(refusal("FOR TABLE t WITH (publish = 'insert')"), HasSubstr("kinds of change"));
  EXPECT_THAT(refusal("FOR TABLE t WITH (publish_via_partition_root)"), HasSubstr("root"));
  execute("DROP PUBLICATION re_dms; CREATE PUBLICATION re_dms");
  EXPECT_EQ(source.create_slot({}, no_intention).origin.admitted.size(), 1U);
}

TEST_F(Setup, RefusesAPublicationThatIsAlteredWhileTheSlotIsMade) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Error error = error_of([&] {
    source.create_slot(
        {}, [&](const Origin&) { execute("ALTER PUBLICATION re_dms SET (publish = 'insert')"); });
  });
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.message(), HasSubstr("kinds of change"));
  EXPECT_EQ(source.take_back(error.kind()), "");
  EXPECT_EQ(slots(), "0");
}

TEST_F(Setup, RefusesToReadTablesNobodyAskedFor) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE \"Secret\" (id int PRIMARY KEY)");
  SourceSettings excluding = settings_;
  excluding.exclude = {"public.\"Secret\""};
  const auto expect_refusal = [](auto step) {
    const Error error = error_of(step);
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.message(), HasSubstr("leave out: public.Secret"));
    EXPECT_THAT(error.advice(),
                HasSubstr("ALTER PUBLICATION \"re_dms\" DROP TABLE ONLY \"public\".\"Secret\""));
  };
  // A publication that somebody made, and a table that is excluded later.
  execute("CREATE PUBLICATION re_dms FOR TABLE \"Secret\"");
  expect_refusal([&] { Source(excluding).create_slot({}, no_intention); });
  EXPECT_EQ(slots(), "0");
  EXPECT_EQ(execute("SELECT count(*) FROM pg_publication_tables"), "1");
  const Origin origin = Source(settings_).create_slot({}, no_intention).origin;
  SourceSettings asking = excluding;
  asking.auto_setup = false;
  expect_refusal([&] { Source(asking).verify(origin); });
  EXPECT_THAT(check_source(excluding, {}),
              ::testing::Contains(::testing::Field(&CheckResult::finding,
                                                   HasSubstr("2 tables, 1 of them not selected"))));
  EXPECT_NO_THROW(Source(excluding).verify(origin));
  EXPECT_EQ(execute("SELECT string_agg(tablename, ' ') FROM pg_publication_tables"), "t");
  EXPECT_NO_THROW(Source(asking).verify(origin));
}

TEST_F(Setup, CreatesNothingWithoutAutoSetup) {
  execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)");
  settings_.auto_setup = false;
  Source source(settings_);
  const Error error = error_of([&] { source.create_slot({}, no_intention); });
  EXPECT_THAT(error.advice(), HasSubstr("CREATE PUBLICATION"));
  EXPECT_THAT(error.advice(), HasSubstr("pg_create_logical_replication_slot"));
  execute("CREATE PUBLICATION re_dms FOR TABLE t");
  execute("SELECT pg_create_logical_replication_slot('" + settings_.slot + "', 'pgoutput')");
  const SlotCreation creation = source.create_slot({}, no_intention);
  EXPECT_TRUE(creation.origin.admitted.empty()) << "a writer may have been missed";
  EXPECT_THAT(reason_for(creation.left_out, "u"), HasSubstr("not in the publication"));
  EXPECT_TRUE(creation.origin.consistent_point.known());
}

TEST_F(Setup, NeedsOnlyTheRightsItAsksFor) {
  execute(
      "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION re_dms FOR TABLE t;"
      "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN");
  settings_.url = postgres_->url("reader", database_);
  Source source(settings_);
  Error error = error_of([&] { source.create_slot({}, no_intention); });
  EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  EXPECT_THAT(error.advice(), HasSubstr("REPLICATION"));
  postgres_->execute("ALTER ROLE reader REPLICATION");
  const SlotCreation creation = source.create_slot({}, no_intention);
  EXPECT_TRUE(creation.origin.admitted.empty()) << "it may not look whether the table is empty";
  settings_.url = postgres_->url("postgres", database_);
}

TEST_F(Setup, RefusesAnotherOriginOnLaterStarts) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  const Origin origin = source.create_slot({}, no_intention).origin;
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

TEST_F(Setup, WaitsARefusalOutOnceItWasAccepted) {
  postgres_->execute("CREATE ROLE needs_password LOGIN SUPERUSER PASSWORD 'old'");
  const auto password = [](const std::string& word) {
    postgres_->execute("ALTER ROLE needs_password PASSWORD '" + word + "'");
  };
  SourceSettings settings = settings_;
  settings.url = postgres_->url("needs_password", database_);
  settings.password_command = "echo old";
  Source source(settings);
  const Origin origin = source.create_slot({}, no_intention).origin;
  password("new");
  const Error later = error_of([&] { source.verify(origin); });
  EXPECT_EQ(later.kind(), ErrorKind::Transient);
  EXPECT_THAT(later.message(), HasSubstr("accepted re_dms before"));
  EXPECT_THAT(later.advice(), HasSubstr("password is wrong"));
  EXPECT_EQ(error_of([&] { Source(settings).verify(origin); }).kind(), ErrorKind::Fatal);
  password("old");
  EXPECT_NO_THROW(source.verify(origin));
}

}  // namespace
}  // namespace re_dms::setup_pg_test
