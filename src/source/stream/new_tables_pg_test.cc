// Tables that come and go while the stream runs.
#include <gtest/gtest.h>

#include "source/testing/stream_test.h"

namespace re_dms::new_tables_pg_test {
namespace {

class NewTables : public StreamTest {};

TEST_F(NewTables, AreNamedWhileTheStreamRuns) {
  ReadTimes times;
  times.facts = std::chrono::milliseconds(20);
  const auto stream = start(false, times);
  ASSERT_TRUE(stream->says_left_out("fresh", "")) << "nothing was left out so far";
  postgres_->execute(
      "CREATE TABLE fresh (id int PRIMARY KEY); CREATE TABLE keyless (id int);"
      "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE leaf PARTITION OF parted DEFAULT; CREATE SCHEMA other;"
      "CREATE TABLE other.not_asked_for (id int PRIMARY KEY)");
  EXPECT_TRUE(stream->says_left_out("fresh", "not in the publication"));
  EXPECT_TRUE(stream->says_left_out("leaf", "not in the publication"));
  EXPECT_TRUE(stream->says_left_out("keyless", "no primary key"));
  EXPECT_TRUE(stream->says_left_out("parted", ""));
  EXPECT_TRUE(stream->says_left_out("not_asked_for", ""));
  EXPECT_TRUE(stream->says_left_out("t", ""));
  postgres_->execute("ALTER TABLE keyless RENAME TO named");
  EXPECT_TRUE(stream->says_left_out("named", "no primary key"));
  EXPECT_TRUE(stream->says_left_out("keyless", ""));
  postgres_->execute("DROP TABLE named, fresh; DROP SCHEMA other CASCADE");
  EXPECT_TRUE(stream->says_left_out("fresh", ""));
  EXPECT_TRUE(stream->says_left_out("leaf", "not in the publication"));
  postgres_->execute("ALTER PUBLICATION re_dms ADD TABLE leaf");
  EXPECT_TRUE(stream->says_left_out("leaf", ""));
  EXPECT_TRUE(stream->running());
}

}  // namespace
}  // namespace re_dms::new_tables_pg_test
