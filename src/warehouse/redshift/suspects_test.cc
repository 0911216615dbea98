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

TEST(Suspects, ATableIsOneAfterSomeTriesThatEndedAtOneStatement) {
  Suspects suspects;
  suspects.failed(at(1, "COPY"));
  suspects.failed(at(1, "COPY"));
  suspects.failed(at(2, "COPY"));
  EXPECT_THAT(suspects.among({1, 2}), IsEmpty());
  suspects.failed(at(1, "COPY"));
  EXPECT_THAT(suspects.among({3, 2, 1}), ElementsAre(1));
  suspects.clear();
  EXPECT_THAT(suspects.among({1, 2}), IsEmpty());
}

TEST(Suspects, TriesThatEndAtOtherStatementsMakeNone) {
  Suspects suspects;
  for (int i = 0; i < 5; ++i) {
    suspects.failed(at(1, "COPY"));
    suspects.failed(at(1, "UPDATE"));
  }
  EXPECT_THAT(suspects.among({1}), IsEmpty());
}

TEST(Suspects, OneThatFailsAloneAgainAndAgainIsFound) {
  Suspects suspects;
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"));
  }
  suspects.failed_alone(at(1, "UPDATE"));
  suspects.failed_alone(at(1, "UPDATE"));
  suspects.failed_alone(at(1, "COPY"));
  EXPECT_FALSE(suspects.is_found(1)) << "it came further, or less far";
  EXPECT_THAT(suspects.among({1}), ElementsAre(1));
  suspects.failed_alone(at(1, "COPY"));
  suspects.failed_alone(at(1, "COPY"));
  EXPECT_TRUE(suspects.is_found(1));
  EXPECT_FALSE(suspects.is_found(2));
}

}  // namespace
}  // namespace re_dms::redshift::suspects_test
