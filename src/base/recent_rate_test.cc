#include "base/recent_rate.h"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.h"

namespace re_dms::recent_rate_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RecentRateTest : public ::testing::Test {
 protected:
  void note_after(milliseconds passed, double total) {
    clock_.advance(passed);
    rate_.note(clock_.steady(), total);
  }

  ManualClock clock_;
  RecentRate rate_{seconds(30), seconds(2)};
};

TEST_F(RecentRateTest, SaysNothingBeforeThereIsEnoughToTell) {
  EXPECT_EQ(rate_.per_second(), std::nullopt);
  note_after(seconds(0), 0);
  note_after(seconds(5), 700);
  EXPECT_EQ(rate_.per_second(), std::nullopt) << "how long that took is not known";
  note_after(milliseconds(1999), 1700);
  EXPECT_EQ(rate_.per_second(), std::nullopt);
  note_after(milliseconds(1), 1700);
  EXPECT_EQ(rate_.per_second(), 500.0);
}

TEST_F(RecentRateTest, TheTimeBeforeTheFirstGrowthDoesNotCount) {
  for (int i = 0; i < 100; ++i) {
    note_after(seconds(1), 0);
  }
  EXPECT_EQ(rate_.per_second(), std::nullopt);
  for (int i = 1; i <= 4; ++i) {
    note_after(seconds(1), i * 10.0);
  }
  EXPECT_EQ(rate_.per_second(), 10.0);
}

TEST_F(RecentRateTest, OnlyTheWindowCounts) {
  for (int i = 0; i <= 100; ++i) {
    note_after(seconds(1), i * 1000.0);
  }
  EXPECT_EQ(rate_.per_second(), 1000.0);
  for (int i = 1; i <= 15; ++i) {
    note_after(seconds(1), 100'000);
  }
  EXPECT_EQ(rate_.per_second(), 500.0) << "half of the window stood still";
  for (int i = 1; i <= 15; ++i) {
    note_after(seconds(1), 100'000);
  }
  EXPECT_EQ(rate_.per_second(), 0.0);
}

TEST_F(RecentRateTest, IsTheSameHoweverOftenItIsAsked) {
  for (int i = 0; i <= 60'000; i += 5) {
    note_after(milliseconds(i == 0 ? 0 : 5), i);
  }
  EXPECT_NEAR(rate_.per_second().value_or(0), 1000, 1);
}

TEST_F(RecentRateTest, WhatShrinksHasANegativeRate) {
  note_after(seconds(0), 110);
  note_after(seconds(1), 100);
  note_after(seconds(10), 50);
  EXPECT_EQ(rate_.per_second(), -5.0);
}

}  // namespace
}  // namespace re_dms::recent_rate_test
