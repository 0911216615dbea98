#include "source/setup/slot_health.h"

#include <gtest/gtest.h>

namespace re_dms::slot_health_test {
namespace {

SystemTime at(int seconds) {
  return SystemTime(std::chrono::seconds(1'800'000'000 + seconds));
}

TEST(SlotAge, IsZeroWhileEverythingIsConfirmed) {
  SlotAge age;
  EXPECT_EQ(age.seen(Lsn{100}, Lsn{100}, at(0)).count(), 0);
  EXPECT_EQ(age.seen(Lsn{200}, Lsn{200}, at(60)).count(), 0);
}

TEST(SlotAge, GrowsFromWhenTheOldestUnconfirmedWalWasSeen) {
  SlotAge age;
  age.seen(Lsn{100}, Lsn{100}, at(0));
  EXPECT_EQ(age.seen(Lsn{200}, Lsn{100}, at(10)).count(), 0);
  EXPECT_EQ(age.seen(Lsn{300}, Lsn{100}, at(30)).count(), 20);
  EXPECT_EQ(age.seen(Lsn{400}, Lsn{200}, at(50)).count(), 20) << "that of 300, seen at 30";
  EXPECT_EQ(age.seen(Lsn{400}, Lsn{400}, at(60)).count(), 0);
}

TEST(SlotAge, GrowsOnASilentDatabaseToo) {
  SlotAge age;
  age.seen(Lsn{200}, Lsn{100}, at(0));
  EXPECT_EQ(age.seen(Lsn{200}, Lsn{100}, at(3600)).count(), 3600);
}

}  // namespace
}  // namespace re_dms::slot_health_test
