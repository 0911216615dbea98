// What a first start made is taken back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/waiting.h"
#include "source/setup/first_start.h"
#include "source/testing/database_test.h"

namespace re_dms::take_back_pg_test {
namespace {

using ::testing::HasSubstr;

class TakeBack : public DatabaseTest {};

TEST_F(TakeBack, DropsWhatTheFirstStartMade) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  Source source(settings_);
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
  source.create_slot({}, no_intention);
  EXPECT_EQ(source.take_back(ErrorKind::Transient), "");
  EXPECT_EQ(slots(), "0");
  EXPECT_EQ(execute("SELECT count(*) FROM pg_publication"), "1") << "the next try goes on with it";
  source.create_slot({}, no_intention);
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
  EXPECT_EQ(slots() + execute("SELECT count(*) FROM pg_publication"), "00");
  // A publication that was there before is not taken back.
  execute("CREATE PUBLICATION re_dms FOR TABLE t");
  Source other(settings_);
  other.create_slot({}, no_intention);
  EXPECT_EQ(other.take_back(ErrorKind::Fatal), "");
  EXPECT_EQ(slots() + execute("SELECT count(*) FROM pg_publication"), "01");
}

TEST_F(TakeBack, SaysWhatStaysBehindWhereItCannotDropIt) {
  execute(
      "CREATE TABLE t (id int PRIMARY KEY); DROP ROLE IF EXISTS maker;"
      "CREATE ROLE maker SUPERUSER LOGIN");
  SourceSettings settings = settings_;
  settings.url = postgres_->url("maker", database_);
  Source source(settings);
  source.create_slot({}, no_intention);
  execute("ALTER ROLE maker NOLOGIN");
  const std::string left = source.take_back(ErrorKind::Fatal);
  EXPECT_THAT(left, HasSubstr("SELECT pg_drop_replication_slot('" + settings_.slot + "')"));
  EXPECT_THAT(left, HasSubstr("DROP PUBLICATION \"re_dms\""));
  execute("ALTER ROLE maker LOGIN");
  EXPECT_EQ(source.take_back(ErrorKind::Fatal), "");
  EXPECT_EQ(slots(), "0");
}

// The answer to CREATE_REPLICATION_SLOT is lost, and the server goes on making the slot.
TEST_F(TakeBack, DropsASlotWhoseCreationWasNotAnswered) {
  execute("CREATE TABLE t (id int PRIMARY KEY)");
  settings_.lock_timeout = std::chrono::minutes(2);
  Connection writer(settings_, ConnectionPurpose::Sql);
  writer.query("BEGIN; INSERT INTO public.t VALUES (1)", "writing");
  FirstStart made(settings_);
  {
    Connection replication(settings_, ConnectionPurpose::Replication);
    replication.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", "beginning");
    made.slot_begun(PQbackendPID(replication.raw()));
    const std::string create =
        "CREATE_REPLICATION_SLOT " + settings_.slot + " LOGICAL pgoutput USE_SNAPSHOT";
    ASSERT_EQ(PQsendQuery(replication.raw(), create.c_str()), 1);
    ASSERT_EQ(PQflush(replication.raw()), 0);
    ASSERT_TRUE(eventually([this] { return slots() == "1"; }));
  }
  EXPECT_EQ(made.take_back(ErrorKind::Transient), "");
  EXPECT_EQ(slots(), "0");
}

}  // namespace
}  // namespace re_dms::take_back_pg_test
