#include "pgoutput/messages.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"

namespace re_dms::pgoutput::messages_test {
namespace {

std::string tuple_bytes() {
  std::string bytes;
  append_be<std::uint16_t>(bytes, 4);
  bytes += 't';
  append_be<std::uint32_t>(bytes, 2);
  bytes += "42";
  bytes += "nu";
  bytes += 't';
  append_be<std::uint32_t>(bytes, 0);
  return bytes;
}

std::string update_bytes() {
  std::string bytes = "U";
  append_be<std::uint32_t>(bytes, 16384);
  bytes += "K" + tuple_bytes() + "N" + tuple_bytes();
  return bytes;
}

std::string relation_bytes() {
  std::string bytes = "R";
  append_be<std::uint32_t>(bytes, 16384);
  bytes += std::string("public\0orders\0d", 15);
  append_be<std::uint16_t>(bytes, 1);
  bytes += std::string("\x01id\0", 4);
  append_be<std::uint32_t>(bytes, 23);
  append_be<std::uint32_t>(bytes, 0xFFFFFFFFU);
  return bytes;
}

TEST(Decode, KeepsNullEmptyAndUnchangedApart) {
  const std::string bytes = update_bytes();
  const Update update = decode_update(bytes);
  EXPECT_EQ(update.relation, 16384U);
  EXPECT_EQ(update.old_kind, OldTuple::Key);
  ASSERT_EQ(update.tuple.count(), 4);
  ColumnCursor columns = update.tuple.columns();
  EXPECT_EQ(columns.next(), (Value{ValueKind::Text, "42"}));
  EXPECT_EQ(columns.next(), (Value{ValueKind::Null, {}}));
  EXPECT_EQ(columns.next(), (Value{ValueKind::UnchangedToast, {}}));
  EXPECT_EQ(columns.next(), (Value{ValueKind::Text, ""}));
}

TEST(Decode, ReadsARelation) {
  const Relation relation = std::get<Relation>(decode(relation_bytes()));
  EXPECT_EQ(relation.name, (QualifiedName{"public", "orders"}));
  EXPECT_EQ(relation.identity, ReplicaIdentity::Default);
  ASSERT_EQ(relation.columns.size(), 1U);
  EXPECT_EQ(relation.columns[0], (RelationColumn{"id", 23, -1, true}));
}

TEST(Decode, RefusesEveryTruncationOfEveryMessage) {
  std::string begin = "B";
  append_be<std::uint64_t>(begin, 0x100);
  append_be<std::uint64_t>(begin, 0);
  append_be<std::uint32_t>(begin, 7);
  std::string truncate = "T";
  append_be<std::uint32_t>(truncate, 1);
  truncate += '\x01';
  append_be<std::uint32_t>(truncate, 16384);
  for (const std::string& whole : {update_bytes(), relation_bytes(), begin, truncate}) {
    EXPECT_NO_THROW(decode(whole));
    EXPECT_THROW(decode(whole + "x"), Error);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THROW(decode(std::string_view(whole).substr(0, size)), Error) << size;
    }
  }
}

TEST(Decode, RefusesOtherProtocolVersionsAndBinaryColumns) {
  EXPECT_THROW(decode("S"), Error);
  std::string insert = "I";
  append_be<std::uint32_t>(insert, 1);
  insert += 'N';
  append_be<std::uint16_t>(insert, 1);
  insert += 'b';
  append_be<std::uint32_t>(insert, 1);
  insert += 'x';
  EXPECT_THROW(decode(insert), Error);
}

TEST(PostgresTime, CountsFromTheYear2000) {
  EXPECT_EQ(to_text(from_postgres_time(0)), "2000-01-01 00:00:00.000000+00");
  EXPECT_EQ(to_postgres_time(from_postgres_time(123456789)), 123456789U);
}

}  // namespace
}  // namespace re_dms::pgoutput::messages_test
