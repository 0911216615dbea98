// Which locks a first start holds on the application's tables.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/testing/waiting.h"
#include "source/setup/slot_creation.h"
#include "source/testing/database_test.h"

namespace re_dms::lock_pg_test {
namespace {

class SetupLocks : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    settings_.lock_timeout = std::chrono::minutes(1);
    execute(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE c (id int PRIMARY KEY)");
  }

  /// Looks by another session that waits for nothing.
  std::string locks_of_ours(const std::string& condition) {
    return execute(fmt::format(
        "SELECT coalesce(string_agg(relation::regclass::text, ' '), '') FROM pg_locks JOIN "
        "pg_stat_activity USING (pid) WHERE application_name = 'first start' AND relation IN "
        "('a'::regclass, 'b'::regclass, 'c'::regclass) AND {}",
        condition));
  }

  /// Runs a first start until it waits for table b, which somebody holds; it holds no
  /// table then.
  void expect_free_while_b_is_held(Connection& holder, const std::function<void()>& first_start) {
    std::jthread starting(first_start);
    EXPECT_TRUE(eventually([&] { return locks_of_ours("NOT granted") == "b"; }));
    EXPECT_EQ(locks_of_ours("granted"), "");
    holder.query("COMMIT", "letting b go");
  }

  SourceSettings first_start() {
    SourceSettings settings = settings_;
    settings.url += "&application_name=first%20start";
    return settings;
  }
};

// Nobody can hold a table ACCESS EXCLUSIVE while a slot is made, which waits for whoever has an
// xid.
TEST_F(SetupLocks, ATableIsLetGoAfterItsLookInTheSlotsSnapshot) {
  Connection replication(first_start(), ConnectionPurpose::Replication);
  replication.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", "beginning");
  replication.query("CREATE_REPLICATION_SLOT " + settings_.slot + " LOGICAL pgoutput USE_SNAPSHOT",
                    "creating the slot");
  const auto holds = [&](const std::string& name) {
    const std::string oid = execute("SELECT '" + name + "'::regclass::oid");
    return holds_rows(replication, {static_cast<Oid>(std::stoul(oid)), {"public", name}, ""});
  };
  EXPECT_FALSE(holds("a"));
  EXPECT_EQ(locks_of_ours("true"), "");
  execute("SET lock_timeout = '10s'; ALTER TABLE a ADD x int");
  execute("INSERT INTO b VALUES (1)");
  EXPECT_FALSE(holds("b")) << "the snapshot is the slot's still";
  execute("INSERT INTO c VALUES (1); TRUNCATE c");
  EXPECT_EQ(error_of([&] { holds("c"); }).kind(), ErrorKind::Transient);
}

TEST_F(SetupLocks, NoTableIsHeldWhileAnotherIsWaitedForByThePublication) {
  Connection holder(settings_, ConnectionPurpose::Sql);
  holder.query("BEGIN; LOCK TABLE public.b IN SHARE UPDATE EXCLUSIVE MODE", "holding b");
  expect_free_while_b_is_held(holder, [&] {
    Source source(first_start());
    EXPECT_EQ(source.create_slot({}, no_intention).origin.admitted.size(), 3U);
  });
}

}  // namespace
}  // namespace re_dms::lock_pg_test
