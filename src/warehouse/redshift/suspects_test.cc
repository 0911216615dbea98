#include "warehouse/redshift/suspects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace re_dms::redshift::suspects_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

Failing at(Oid table, const std::string& statement) {
  return {table, {"public", "t"}, "why", statement};
}

Failing lost(Oid table, const std::string& statement) {
  return {table, {"public", "t"}, "why", statement, false};
}

/// The table is the first of so many.
Failing at_commit(Oid table, std::size_t tables) {
  return {table, {"public", "t"}, "why", "COMMIT", true, tables};
}

constexpr SteadyTime kBegin{std::chrono::hours(1)};
constexpr SteadyTime kLater = kBegin + std::chrono::minutes(5);
constexpr SteadyTime kMuchLater = kBegin + std::chrono::hours(1);
constexpr std::chrono::milliseconds kMoment(1);

Suspects nobody() {
  return Suspects({std::chrono::minutes(5), std::chrono::hours(1)});
}

/// Each failed alone often enough.
Suspects failing_alone(const std::vector<Failing>& tables) {
  Suspects suspects = nobody();
  for (int i = 0; i < 3; ++i) {
    for (const Failing& table : tables) {
      suspects.failed(table, kBegin);
      suspects.failed_alone(table, kBegin);
    }
  }
  return suspects;
}

auto are(const std::vector<Oid>& tables) {
  std::vector<::testing::Matcher<Failing>> each;
  for (const Oid table : tables) {
    each.push_back(Field(&Failing::table, table));
  }
  return ::testing::ElementsAreArray(each);
}

TEST(Suspects, ATableIsOneAfterSomeTriesThatEndedAtOneStatement) {
  Suspects suspects = nobody();
  suspects.failed(at(1, "COPY"), kBegin);
  suspects.failed(at(1, "COPY"), kBegin);
  suspects.failed(at(2, "COPY"), kBegin);
  EXPECT_THAT(suspects.among({1, 2}), IsEmpty());
  suspects.failed(at(1, "COPY"), kBegin);
  EXPECT_THAT(suspects.among({3, 2, 1}), ElementsAre(1));
}

TEST(Suspects, TriesThatEndAtOtherStatementsMakeNone) {
  Suspects suspects = nobody();
  for (int i = 0; i < 5; ++i) {
    suspects.failed(at(1, "COPY"), kBegin);
    suspects.failed(at(1, "UPDATE"), kBegin);
  }
  EXPECT_THAT(suspects.among({1}), IsEmpty());
}

TEST(Suspects, OneThatFailsAloneAgainAndAgainIsFound) {
  Suspects suspects = nobody();
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"), kBegin);
  }
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  EXPECT_THAT(suspects.found({1, 2}, true, kLater), IsEmpty()) << "it may pass";
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  EXPECT_THAT(suspects.found({1, 2}, true, kLater - kMoment), IsEmpty()) << "it may pass";
  EXPECT_THAT(suspects.found({1, 2}, true, kLater), are({1}));
  EXPECT_THAT(suspects.found({2}, true, kLater), IsEmpty());
}

TEST(Suspects, TheOneThatFailedAloneLeastOftenComesFirst) {
  Suspects suspects = nobody();
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"), kBegin);
    suspects.failed(at(2, "UPDATE"), kBegin);
  }
  EXPECT_THAT(suspects.among({1, 2}), ElementsAre(1, 2));
  suspects.failed_alone(at(1, "UPDATE"), kBegin);
  EXPECT_THAT(suspects.among({1, 2}), ElementsAre(2, 1));
}

TEST(Suspects, WhereNoOtherPassesOnlyOneThatIsLeftIsFound) {
  const Suspects one = failing_alone({at(1, "UPDATE")});
  EXPECT_THAT(one.found({1}, false, kLater - kMoment), IsEmpty());
  EXPECT_THAT(one.found({1}, false, kLater), are({1}));
  EXPECT_THAT(one.found({1, 2}, false, kMuchLater), IsEmpty()) << "the other may pass";
}

TEST(Suspects, SeveralOfWhichNonePassesAreWaitedForLonger) {
  const Suspects both = failing_alone({at(1, "UPDATE"), at(2, "COPY")});
  EXPECT_THAT(both.found({1, 2}, false, kMuchLater - kMoment), IsEmpty());
  EXPECT_THAT(both.found({1, 2}, false, kMuchLater), are({1, 2}));
}

TEST(Suspects, ConnectionsThatEndAreNotTheTablesWhereNonePasses) {
  const Suspects both = failing_alone({at(1, "UPDATE"), lost(2, "COPY")});
  EXPECT_THAT(both.found({1, 2}, false, kMuchLater), IsEmpty());
  EXPECT_THAT(both.found({1, 2}, true, kLater), are({1, 2}));
}

TEST(Suspects, OneThatFailsAloneAtOneStatementAndThenAtAnotherIsFoundNoLater) {
  Suspects suspects = nobody();
  for (int i = 0; i < 3; ++i) {
    suspects.failed(at(1, "UPDATE"), kBegin);
  }
  for (const char* const statement : {"UPDATE", "COPY", "INSERT"}) {
    suspects.failed_alone(at(1, statement), kLater - kMoment);
  }
  EXPECT_THAT(suspects.found({1, 2}, true, kLater), are({1}));
  suspects.failed(at(1, "DELETE"), kLater);
  EXPECT_THAT(suspects.among({1}), ElementsAre(1));
  EXPECT_THAT(suspects.found({1, 2}, true, kLater), are({1}));
}

TEST(Suspects, AConnectionThatEndsAtAnotherStatementStartsNothingAnew) {
  Suspects suspects = nobody();
  suspects.failed(at(1, "UPDATE"), kBegin);
  suspects.failed(at(1, "UPDATE"), kBegin);
  suspects.failed(lost(1, "COPY"), kBegin);
  EXPECT_THAT(suspects.among({1}), IsEmpty());
  suspects.failed(at(1, "UPDATE"), kBegin);
  EXPECT_THAT(suspects.among({1}), ElementsAre(1));
}

TEST(Suspects, AConnectionThatEndsBetweenAnswersIsNoReasonToWaitLonger) {
  Suspects suspects = failing_alone({at(1, "UPDATE"), at(2, "COPY")});
  suspects.failed_alone(lost(2, "UPDATE"), kMuchLater - kMoment);
  EXPECT_THAT(suspects.found({1, 2}, false, kMuchLater), are({1, 2}));
  EXPECT_THAT(suspects.found({1, 2}, false, kMuchLater),
              Contains(Field(&Failing::statement, "COPY")));
  EXPECT_THAT(suspects.among({2, 1}), ElementsAre(1, 2)) << "it had its turn all the same";
}

TEST(Suspects, CommitsThatFailMakeTransactionsSmallerUntilOneTableFails) {
  Suspects suspects = nobody();
  suspects.failed(at_commit(1, 9), kBegin);
  suspects.failed(at_commit(1, 9), kBegin);
  EXPECT_FALSE(suspects.searches()) << "it may pass";
  suspects.failed(at_commit(1, 9), kBegin);
  EXPECT_EQ(suspects.together(), 4U);
  suspects.committed();
  EXPECT_EQ(suspects.together(), 8U) << "these are loaded";
  suspects.failed(at_commit(5, 5), kBegin);
  EXPECT_EQ(suspects.together(), 2U);
  suspects.failed(at_commit(5, 2), kBegin);
  EXPECT_EQ(suspects.together(), 1U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(suspects.searches());
    EXPECT_THAT(suspects.among({5, 6, 7}), IsEmpty());
    suspects.failed(at_commit(5, 1), kBegin);
  }
  EXPECT_THAT(suspects.among({5, 6, 7}), ElementsAre(5));
  EXPECT_FALSE(suspects.searches()) << "the others may do together";
  suspects.failed(at_commit(6, 2), kBegin);
  EXPECT_FALSE(suspects.searches());
}

}  // namespace
}  // namespace re_dms::redshift::suspects_test
