#include "warehouse/redshift/suspects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace re_dms::redshift::suspects_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Failing at(Oid table, const std::string& statement) {
  return {table, {"public", "t"}, "why", statement};
}

constexpr SteadyTime kBegin{std::chrono::hours(1)};
constexpr SteadyTime kLater = kBegin + std::chrono::minutes(5);

TEST(Suspects, ATableIsOneAfterSomeTriesThatEndedAtOneStatement) {
  Suspects suspects(std::chrono::minutes(5));
  suspects.failed(at(1, "COPY"), kBegin);
  suspects.failed(at(1, "COPY"), kBegin);
  suspects.failed(at(2, "COPY"), kBegin);
  EXPECT_THAT(suspects.among({1, 2}), IsEmpty());
  suspects.failed(at(1, "COPY"), kBegin);
  EXPECT_THAT(suspects.among({3, 2, 1}), ElementsAre(1));
  suspects.clear();
  EXPECT_THAT(suspects.among({1, 2}), IsEmpty());
}

TEST(Suspects, TriesThatEndAtOtherStatementsMakeNone) {
  Suspects suspects(std::chrono::minutes(5));
  for (int i = 0; i < 5; ++i) {
    suspects.failed(at(1, "COPY"), kBegin);
    suspects.failed(at(1, "UPDATE"), kBegin);
  }
  EXPECT_THAT(suspects.among({1}), IsEmpty());
}

TEST(Suspects, OneThatFailsAloneAgainAndAgainIsFound) {
  Suspects suspects(std::chrono::minutes(5));
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"), kBegin);
  }
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  suspects.failed_alone(at(1, "COPY"), kBegin);
  EXPECT_FALSE(suspects.is_found(1, kLater)) << "it came further, or less far";
  EXPECT_THAT(suspects.among({1}), ElementsAre(1));
  suspects.failed_alone(at(1, "COPY"), kBegin);
  suspects.failed_alone(at(1, "COPY"), kBegin);
  EXPECT_FALSE(suspects.is_found(1, kLater - std::chrono::milliseconds(1))) << "it may pass";
  EXPECT_TRUE(suspects.is_found(1, kLater));
  EXPECT_FALSE(suspects.is_found(2, kLater));
}

TEST(Suspects, TheOneThatFailedAloneLeastOftenComesFirst) {
  Suspects suspects(std::chrono::minutes(5));
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"), kBegin);
    suspects.failed(at(2, "UPDATE"), kBegin);
  }
  EXPECT_THAT(suspects.among({1, 2}), ElementsAre(1, 2));
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  EXPECT_THAT(suspects.among({1, 2}), ElementsAre(2, 1));
}

}  // namespace
}  // namespace re_dms::redshift::suspects_test
