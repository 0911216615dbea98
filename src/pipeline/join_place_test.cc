#include "pipeline/join_place.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/waiting.h"

namespace re_dms::join_place_test {
namespace {

std::vector<RosterEntry> one_table() {
  return std::vector<RosterEntry>(1);
}

class JoinPlaceTest : public ::testing::Test {
 protected:
  /// The main reader comes to a place and waits there; what it was brought.
  std::size_t meet_at(JournalPlace place, std::vector<RosterEntry> brought) {
    join_.reached({place, Lsn{place.offset}});
    std::size_t tables = 99;
    std::jthread main([&](const std::stop_token& stop) { tables = join_.meet(stop).size(); });
    EXPECT_TRUE(eventually([&] { return join_.meeting() == place; }));
    join_.bring(std::move(brought));
    main.join();
    return tables;
  }

  JoinPlace join_;
};

TEST_F(JoinPlaceTest, TheMainReaderGetsWhatIsBroughtToItsPlace) {
  EXPECT_FALSE(join_.wanted());
  join_.ask();
  EXPECT_TRUE(join_.wanted());
  EXPECT_EQ(meet_at({1, 100}, one_table()), 1U);
  EXPECT_FALSE(join_.wanted());
  EXPECT_FALSE(join_.meeting());
}

TEST_F(JoinPlaceTest, AMeetingWithoutTablesLeavesNothingForTheNext) {
  join_.ask();
  EXPECT_EQ(meet_at({1, 100}, {}), 0U);
  join_.bring({});
  join_.ask();
  EXPECT_EQ(meet_at({1, 200}, one_table()), 1U);
}

TEST_F(JoinPlaceTest, WhoeverAsksWhileTheMainReaderWakesIsHeard) {
  join_.ask();
  EXPECT_EQ(meet_at({1, 100}, {}), 0U);
  join_.ask();
  EXPECT_TRUE(join_.wanted());
}

TEST_F(JoinPlaceTest, AStopEndsTheWait) {
  std::jthread main([&](const std::stop_token& stop) { EXPECT_TRUE(join_.meet(stop).empty()); });
  main.request_stop();
  main.join();
}

}  // namespace
}  // namespace re_dms::join_place_test
