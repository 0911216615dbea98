// The receive loop against a real PostgreSQL: what arrives, in which order, and where it stands.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "source/testing/stream_test.h"

namespace re_dms::stream_pg_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Stream : public StreamTest {};

TEST_F(Stream, BringsChangesInOrderWithTheirCatalog) {
  const auto stream = start();
  postgres_->execute(
      "INSERT INTO t VALUES (1, repeat('x', 5000)); UPDATE t SET id = 2;"
      "DELETE FROM t; TRUNCATE t");
  ASSERT_TRUE(stream->saw("C"));
  EXPECT_THAT(without_idle(stream->records()),
              ElementsAre("catalog public.t(id*,v)", "B", "catalog public.t(id*,v)", "R public.t",
                          "I [1|5000 bytes]", "U [1|NULL][2|UNCHANGED]", "D [2|NULL]",
                          // TRUNCATE invalidates what the server has told of the table.
                          "catalog public.t(id*,v)", "R public.t", "T", "C"));
  EXPECT_TRUE(eventually([&] { return stream->progress().committed.lsn().known(); }));
}

TEST_F(Stream, AsksTheCatalogAgainAtEveryRelation) {
  const auto stream = start();
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("I [1|a]"));
  postgres_->execute("ALTER TABLE t ADD COLUMN n int DEFAULT 7; INSERT INTO t VALUES (2, 'b')");
  ASSERT_TRUE(stream->saw("I [2|b|7]"));
  postgres_->execute(
      "ALTER TABLE t DROP COLUMN n; ALTER TABLE t ADD COLUMN n int;"
      "INSERT INTO t VALUES (3, 'c')");
  ASSERT_TRUE(stream->saw("I [3|c|NULL]"));
  EXPECT_THAT(stream->records(), Contains("catalog public.t(id*,v)"));
  EXPECT_THAT(stream->records(), Contains("catalog public.t(id*,v,n=7)"));
  EXPECT_THAT(stream->records(), Contains("catalog public.t(id*,v,n)"));
}

TEST_F(Stream, MarksTablesThatWereNotEmptyAtTheStart) {
  postgres_->execute(
      "CREATE TABLE later (id int PRIMARY KEY);"
      "ALTER PUBLICATION re_dms ADD TABLE later; INSERT INTO later VALUES (1)");
  const auto stream = start();
  EXPECT_TRUE(stream->saw("catalog public.later(id*) not admitted"));
}

class AskedOften : public Stream {
 protected:
  static constexpr const char* kLastAsked =
      "SELECT query_start FROM pg_stat_activity WHERE application_name = 're_dms' AND backend_type "
      "= 'client backend'";

  AskedOften() { often_.facts = std::chrono::milliseconds(20); }

  static long catalogs(const StreamProbe& stream) {
    const std::vector<std::string> records = stream.records();
    return std::ranges::count_if(records,
                                 [](const std::string& r) { return r.starts_with("catalog"); });
  }

  /// Asking about all tables may take several queries: more than once round.
  static void wait_until_asked_again() {
    for (int i = 0; i < 10; ++i) {
      const std::string asked = postgres_->execute(kLastAsked);
      ASSERT_TRUE(eventually([&] { return postgres_->execute(kLastAsked) != asked; }));
    }
  }

  ReadTimes often_;
};

TEST_F(AskedOften, TellsWhatASilentTableBecame) {
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  postgres_->execute("ALTER TABLE t ADD COLUMN n int");
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v,n)"));
  postgres_->execute(
      "ALTER PUBLICATION re_dms DROP TABLE t; CREATE TABLE other ();"
      "ALTER PUBLICATION re_dms ADD TABLE other");
  EXPECT_TRUE(stream->saw("catalog public.t(id*,v,n) not published"));
  EXPECT_TRUE(stream->saw("catalog public.other() not admitted"));
}

TEST_F(AskedOften, TellsOnceThatATableIsGone) {
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  // Of the same name, and another one.
  postgres_->execute(
      "DROP TABLE t; CREATE TABLE t (n int PRIMARY KEY); ALTER PUBLICATION re_dms ADD TABLE t");
  ASSERT_TRUE(stream->saw("catalog public.t() not published"));
  ASSERT_TRUE(stream->saw("catalog public.t(n*) not admitted"));
  wait_until_asked_again();
  EXPECT_EQ(catalogs(*stream), 3);
}

TEST_F(AskedOften, TellsThatAllTablesAreGone) {
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  postgres_->execute("DROP TABLE t");
  EXPECT_TRUE(stream->saw("catalog public.t() not published"));
}

TEST_F(AskedOften, TellsOfATableThatIsGoneSinceBefore) {
  postgres_->execute("DROP TABLE t");
  const auto stream = start(false, often_);
  EXPECT_TRUE(stream->saw("catalog .() not published"));
  wait_until_asked_again();
  EXPECT_EQ(catalogs(*stream), 1);
}

TEST_F(AskedOften, WritesNothingWhileNothingIsNews) {
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("C"));
  wait_until_asked_again();
  // At the start and with the Relation message.
  EXPECT_EQ(catalogs(*stream), 2);
}

TEST_F(Stream, MakesAPositionWhereNewsTakeEffect) {
  const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_insert_lsn()"));
  const auto stream = start();
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  EXPECT_TRUE(eventually([&] { return stream->progress().journaled.lsn() > end; },
                         std::chrono::seconds(5)));
}

TEST_F(AskedOften, TellsBetweenTransactionsOnly) {
  often_.facts = std::chrono::milliseconds(1);
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  for (int i = 0; i < 30; ++i) {
    const std::string n = std::to_string(i);
    postgres_->execute("ALTER TABLE t ADD COLUMN c" + n + " int");
    postgres_->execute("INSERT INTO t (id) SELECT " + n +
                       " * 1000 + g FROM generate_series(1, 500) g");
  }
  ASSERT_TRUE(stream->saw("C", 30));
  EXPECT_GT(catalogs(*stream), 31);
  bool open = false;
  const std::vector<std::string> records = stream->records();
  for (std::size_t i = 0; i + 1 < records.size(); ++i) {
    open = records[i] == "B" || (open && records[i] != "C");
    if (open && records[i].starts_with("catalog")) {
      ASSERT_EQ(records[i + 1], "R public.t");
    }
  }
}

TEST_F(AskedOften, EndsWhenThePublicationIsGone) {
  const auto stream = start(false, often_);
  ASSERT_TRUE(stream->saw("catalog public.t(id*,v)"));
  postgres_->execute("DROP PUBLICATION re_dms");
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
  EXPECT_THAT(error->message(), HasSubstr("publication \"re_dms\" does not exist"));
  EXPECT_THAT(stream->records(), Not(Contains(HasSubstr("not published"))));
}

TEST_F(Stream, DropsMessagesOfOtherPrograms) {
  const auto stream = start();
  postgres_->execute(
      "BEGIN; SELECT pg_logical_emit_message(true, 'other', 'x'); SELECT "
      "pg_logical_emit_message(true, 're_dms.ddl', 'y'); SELECT "
      "pg_logical_emit_message(false, 're_dms', 'z'); COMMIT");
  ASSERT_TRUE(stream->saw("C"));
  EXPECT_THAT(without_idle(stream->records()),
              ElementsAre("catalog public.t(id*,v)", "B", "M re_dms.ddl", "C"));
}

TEST_F(Stream, ConfirmsWhatIsJournaledAndNothingElse) {
  const auto stream = start();
  stream->hold(true);
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_lsn()"));
  ASSERT_TRUE(eventually([&] { return stream->progress().received.lsn() >= end; }));
  // An idle position may have been journaled before.
  EXPECT_EQ(postgres_->execute("SELECT coalesce(flush_lsn, '0/0') < '" + to_string(end) +
                               "' FROM pg_stat_replication"),
            "t");
  stream->hold(false);
  EXPECT_TRUE(postgres_->becomes(confirmed_beyond(end), "t"));
}

TEST_F(Stream, MovesAnIdleSlotWhenOthersWrite) {
  const auto stream = start();
  postgres_->execute(
      "CREATE TABLE unpublished (id int); INSERT INTO unpublished SELECT "
      "generate_series(1, 10000)");
  const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_lsn()"));
  EXPECT_TRUE(postgres_->becomes(confirmed_beyond(end), "t"));
  EXPECT_TRUE(stream->saw("idle"));
  EXPECT_THAT(stream->records(), Not(Contains(HasSubstr("I "))));
}

TEST_F(Stream, BringsEverythingAgainThatWasNotConfirmed) {
  Lsn journaled;
  {
    const auto stream = start();
    stream->hold(true);
    postgres_->execute("INSERT INTO t VALUES (1, 'a')");
    const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_lsn()"));
    ASSERT_TRUE(eventually([&] { return stream->progress().received.lsn() >= end; }));
    stream->stop();
    EXPECT_FALSE(stream->ended());
    journaled = std::max(origin_.consistent_point, stream->progress().journaled.lsn());
  }
  wait_until_free();
  StreamProbe again(settings_, origin_, origin_.consistent_point, journaled);
  EXPECT_TRUE(again.saw("I [1|a]"));
}

TEST_F(Stream, BringsNothingAgainThatWasConfirmed) {
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  Lsn journaled;
  {
    const auto stream = start();
    ASSERT_TRUE(stream->saw("C"));
    stream->stop();
    EXPECT_FALSE(stream->ended());
    journaled = stream->progress().journaled.lsn();
  }
  postgres_->execute("INSERT INTO t VALUES (2, 'b')");
  wait_until_free();
  // From the beginning: the last feedback before the end confirmed the first row.
  StreamProbe again(settings_, origin_, origin_.consistent_point, journaled);
  ASSERT_TRUE(again.saw("I [2|b]"));
  EXPECT_THAT(again.records(), Not(Contains("I [1|a]")));
}

TEST_F(Stream, ClosesATransactionThatWasCutOff) {
  auto stream = start();
  ASSERT_TRUE(eventually([&] { return stream->started(); }));
  // The queue's bound leaves most of the transaction with the server.
  stream->hold(true);
  postgres_->execute("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g");
  ASSERT_TRUE(postgres_->becomes("SELECT count(*) FROM pg_stat_replication WHERE sent_lsn > '" +
                                     to_string(origin_.consistent_point) + "'",
                                 "1"));
  ASSERT_TRUE(eventually([&] { return stream->open(); }));
  postgres_->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  stream->hold(false);
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient) << error->what();
  EXPECT_TRUE(stream->open());
  EXPECT_THAT(stream->records(), Not(Contains("C")));
  wait_until_free();
  stream = start(true);
  ASSERT_TRUE(stream->saw("C"));
  const std::vector<std::string> records = without_idle(stream->records());
  EXPECT_EQ(records[0], "abort");
  EXPECT_EQ(records[1], "catalog public.t(id*,v)");
  EXPECT_EQ(records[2], "B");
  EXPECT_EQ(records.size(), 20000U + 6U);
}

/// The server's process dies while a block waits for room in the queue: that is not received.
TEST_F(Stream, CountsNothingAsReceivedThatWasNotHandedOn) {
  ReadTimes times;
  times.feedback.silence = std::chrono::milliseconds(20);
  auto cut = start(false, times);
  ASSERT_TRUE(eventually([&] { return cut->started(); }));
  cut->hold(true);
  int transactions = 0;
  for (bool full = false; !full;) {
    ASSERT_LT(++transactions, 100) << "the queue takes everything";
    postgres_->execute(fmt::format("INSERT INTO t VALUES ({}, repeat('x', 100000))", transactions));
    const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_lsn()"));
    ASSERT_TRUE(postgres_->becomes(
        fmt::format("SELECT count(*) FROM pg_stat_replication WHERE sent_lsn >= '{}'", end), "1"));
    full = !eventually([&] { return cut->progress().received.lsn() >= end; },
                       std::chrono::milliseconds(500));
  }
  postgres_->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  // Each report of progress finds the connection lost; who left it for that would drop the block.
  eventually([&] { return !cut->running(); }, std::chrono::seconds(2));
  cut->hold(false);
  const std::optional<Error> error = cut->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient) << error->what();
  const Lsn received = cut->progress().received.lsn();
  ASSERT_TRUE(eventually([&] { return cut->progress().journaled.lsn() >= received; }));
  wait_until_free();
  const auto rest =
      std::make_unique<StreamProbe>(settings_, origin_, received, received, cut->open());
  EXPECT_TRUE(eventually([&] {
    return std::ranges::count(cut->records(), "C") + std::ranges::count(rest->records(), "C") ==
           transactions;
  }));
}

TEST_F(Stream, RefusesASlotThatSomebodyElseMoved) {
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  postgres_->execute(
      "SELECT count(*) FROM pg_logical_slot_get_binary_changes('re_dms', NULL, NULL, "
      "'proto_version', '1', 'publication_names', 're_dms')");
  const auto stream = start();
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
  EXPECT_THAT(error->message(), HasSubstr("the journal ends at"));
  EXPECT_FALSE(stream->started());
}

TEST_F(Stream, RefusesAServerThatWasSetBack) {
  const Lsn end = *Lsn::parse(postgres_->execute("SELECT pg_current_wal_flush_lsn()"));
  StreamProbe stream(settings_, origin_, origin_.consistent_point, Lsn{end.value + (1 << 20)});
  const std::optional<Error> error = stream.ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
  EXPECT_THAT(error->message(), HasSubstr("set back"));
}

TEST_F(Stream, NamesTheProcessThatReadsTheSlot) {
  const auto first = start();
  ASSERT_TRUE(eventually([&] { return first->started(); }));
  const std::string process = postgres_->execute("SELECT active_pid FROM pg_replication_slots");
  const auto second = start();
  const std::optional<Error> error = second->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Transient);
  EXPECT_THAT(error->message(), HasSubstr("PID " + process));
  EXPECT_TRUE(first->started());
  EXPECT_FALSE(second->started());
}

TEST_F(Stream, ReadsOnWhileSomebodyHoldsATable) {
  postgres_->execute(
      "CREATE TABLE other (id int PRIMARY KEY); ALTER PUBLICATION re_dms ADD TABLE other");
  Connection holder(settings_, ConnectionPurpose::Sql);
  holder.query("BEGIN", "beginning");
  holder.query("LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE", "locking");
  const auto stream = start();
  postgres_->execute("INSERT INTO other VALUES (1)");
  EXPECT_TRUE(stream->saw("I [1]"));
  holder.query("ROLLBACK", "ending");
}

TEST_F(Stream, RefusesToReadWithoutItsPublication) {
  postgres_->execute("DROP PUBLICATION re_dms");
  const auto stream = start();
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
}

TEST_F(Stream, ReadsOnWhenOneTableIsPublishedInPart) {
  postgres_->execute(
      "CREATE TABLE other (id int PRIMARY KEY); ALTER PUBLICATION re_dms ADD TABLE other;"
      "ALTER PUBLICATION re_dms SET TABLE t WHERE (id > 1), other");
  EXPECT_NO_THROW(Source(settings_).verify(origin_));
  const auto stream = start();
  postgres_->execute(
      "INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b'); INSERT INTO other VALUES (3)");
  EXPECT_TRUE(stream->saw("I [3]"));
  EXPECT_THAT(stream->records(), Contains("I [2|b]"));
  EXPECT_THAT(stream->records(), Not(Contains("I [1|a]")));
}

TEST_F(Stream, RefusesToReadOnWithoutItsPublication) {
  const auto stream = start();
  postgres_->execute("INSERT INTO t VALUES (1, 'a')");
  ASSERT_TRUE(stream->saw("I [1|a]"));
  postgres_->execute("DROP PUBLICATION re_dms; INSERT INTO t VALUES (2, 'b')");
  const std::optional<Error> error = stream->ended();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Fatal);
  EXPECT_THAT(error->message(), HasSubstr("publication \"re_dms\" does not exist"));
  EXPECT_THAT(error->advice(), HasSubstr("Start over"));
}

TEST_F(Stream, PinsItsOutputSettingsAgainstTheRole) {
  postgres_->execute(
      "CREATE TABLE times (id int PRIMARY KEY, at timestamptz, i interval, f float8,"
      " b bytea, r regclass); ALTER ROLE postgres SET datestyle = 'German';"
      "ALTER ROLE postgres SET timezone = 'Asia/Tokyo';"
      "ALTER ROLE postgres SET intervalstyle = 'iso_8601';"
      "ALTER ROLE postgres SET bytea_output = 'escape';"
      "ALTER ROLE postgres SET extra_float_digits = 0;"
      "ALTER PUBLICATION re_dms ADD TABLE times");
  const auto stream = start();
  postgres_->execute(
      "INSERT INTO times VALUES (1, '2024-06-30 18:30:00.5+00', '1 day', 1.0/3, "
      "'\\x00', 'times')");
  EXPECT_TRUE(stream->saw("I [1|24 bytes|1 day|0.3333333333333333|\\x00|public.times]"))
      << ::testing::PrintToString(stream->records());
  postgres_->execute("ALTER ROLE postgres RESET ALL");
}

}  // namespace
}  // namespace re_dms::stream_pg_test
