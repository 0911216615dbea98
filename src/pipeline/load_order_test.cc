#include "pipeline/load_order.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/manual_clock.h"

namespace re_dms::load_order_test {
namespace {

constexpr std::chrono::milliseconds kNoPatience(0);

StagedBatch batch(BatchKind kind, std::uint64_t number, std::uint64_t joins = 0) {
  StagedBatch made;
  made.kind = kind;
  made.span.number = number;
  made.span.joins = joins;
  return made;
}

class LoadOrderTest : public ::testing::Test {
 protected:
  void stage(BatchKind kind, std::uint64_t number, std::uint64_t joins = 0) {
    StagedBatch made = batch(kind, number, joins);
    staged_.push(made, 1, {});
  }

  /// Numbers of the next batches in their order, until there is none: "1 2".
  std::string next(std::size_t most = 100) {
    std::string numbers;
    for (; most > 0; --most) {
      const auto given = order_.next(staged_, {}, kNoPatience);
      if (!given) {
        break;
      }
      numbers += (numbers.empty() ? "" : " ") + std::to_string(given->span.number);
      if (given->kind == BatchKind::Join) {
        order_.joined();
      }
    }
    return numbers;
  }

  BoundedQueue<StagedBatch> staged_{100, 1000};
  ManualClock clock_;
  LoadOrder order_{clock_};
};

TEST_F(LoadOrderTest, ACopyThatFailedWaitsForItsTurnAndTheCopiesBehindItToo) {
  stage(BatchKind::Copy, 1);
  stage(BatchKind::Copy, 2);
  auto failed = order_.next(staged_, {}, kNoPatience);
  ASSERT_TRUE(failed);
  order_.put_back(*std::move(failed), clock_.steady() + std::chrono::seconds(1));
  EXPECT_TRUE(order_.has_some());
  stage(BatchKind::Stream, 11);
  stage(BatchKind::Stream, 12);
  EXPECT_EQ(next(), "11 12");
  staged_.close();
  EXPECT_EQ(next(), "");
  EXPECT_TRUE(order_.has_some());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(next(), "1 2");
}

TEST_F(LoadOrderTest, ACopyLetsOneOfTheOthersBy) {
  for (const std::uint64_t number : {1U, 2U, 3U}) {
    stage(BatchKind::Copy, number);
  }
  for (const std::uint64_t number : {11U, 12U, 13U, 14U}) {
    stage(BatchKind::Stream, number);
  }
  EXPECT_EQ(next(), "11 1 12 2 13 3 14");
  EXPECT_FALSE(order_.has_some());
}

TEST_F(LoadOrderTest, WithoutOthersCopiesFollowEachOther) {
  stage(BatchKind::Copy, 1);
  stage(BatchKind::Copy, 2);
  EXPECT_EQ(next(1), "1");
  EXPECT_TRUE(order_.has_some());
  stage(BatchKind::CatchUp, 11);
  EXPECT_EQ(next(), "11 2");
}

TEST_F(LoadOrderTest, TheStreamWaitsForTheJoinBeforeIt) {
  stage(BatchKind::Stream, 1, 1);
  stage(BatchKind::Stream, 2, 2);
  EXPECT_EQ(next(), "");
  EXPECT_FALSE(order_.has_some());
  stage(BatchKind::CatchUp, 11);
  stage(BatchKind::Join, 12);
  EXPECT_EQ(next(), "11 12 1");
  stage(BatchKind::Join, 13);
  EXPECT_EQ(next(1), "13");
  EXPECT_TRUE(order_.has_some());
  EXPECT_EQ(next(), "2");
}

TEST_F(LoadOrderTest, WhatIsInTheQueueWhenItClosesIsGiven) {
  stage(BatchKind::Copy, 1);
  stage(BatchKind::Copy, 2);
  stage(BatchKind::Stream, 11);
  staged_.close();
  EXPECT_EQ(next(), "11 1 2");
  EXPECT_TRUE(staged_.finished());
}

class VoidTest : public ::testing::Test {
 protected:
  static SetAside left(Oid oid, Remedy remedy, std::uint64_t attempt = 0) {
    return {oid, {"public", "t" + std::to_string(oid)}, "because", Lsn{500}, remedy, attempt};
  }

  std::uint64_t attempt(Oid oid) const {
    for (const TableRecord& table : tables_.all()) {
      if (table.oid == oid) {
        return table.attempt;
      }
    }
    return 0;
  }

  static StagedLayer copied(Oid oid, std::uint64_t attempt) {
    TableSchema table;
    table.oid = oid;
    StagedLayer layer;
    layer.table = std::make_shared<const TableSchema>(table);
    layer.copy = CopyStep{};
    layer.copy->attempt = attempt;
    return layer;
  }

  TableStates tables_{
      real_clock(),
      {RetryPolicy{std::chrono::milliseconds(10), std::chrono::milliseconds(30), 2.0},
       RetryPolicy{std::chrono::milliseconds(100), std::chrono::milliseconds(300), 2.0}}};
};

TEST_F(VoidTest, LayersOfAnEndedAttemptGo) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.leave(left(2, Remedy::Copy));
  StagedBatch copies = batch(BatchKind::Copy, 1);
  copies.layers = {copied(1, attempt(1)), copied(2, attempt(2) + 1)};
  copies.layers.push_back(copied(3, 1));
  const std::vector<StagedLayer> gone = take_void(copies, tables_);
  ASSERT_EQ(gone.size(), 2U);
  EXPECT_EQ(gone[0].table->oid, 2U);
  EXPECT_EQ(gone[1].table->oid, 3U);
  ASSERT_EQ(copies.layers.size(), 1U);
  EXPECT_EQ(copies.layers[0].table->oid, 1U);
}

TEST_F(VoidTest, WhatIsSaidOfTablesThatNobodyFollowsGoes) {
  tables_.leave(left(1, Remedy::Copy));
  StagedBatch caught_up = batch(BatchKind::CatchUp, 1);
  caught_up.tables = {{1, Lsn{500}, attempt(1)}, {2, Lsn{500}, 7}};
  caught_up.set_aside = {left(1, Remedy::Person), left(2, Remedy::Person)};
  EXPECT_TRUE(take_void(caught_up, tables_).empty());
  ASSERT_EQ(caught_up.tables.size(), 1U);
  ASSERT_EQ(caught_up.set_aside.size(), 1U);
  EXPECT_EQ(caught_up.set_aside[0].oid, 1U);
}

TEST_F(VoidTest, ATableThatIsWantedAgainIsNotRemoved) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.leave(left(2, Remedy::Nothing));
  StagedBatch copies = batch(BatchKind::Copy, 1);
  copies.set_aside = {left(1, Remedy::Nothing), left(2, Remedy::Nothing)};
  take_void(copies, tables_);
  ASSERT_EQ(copies.set_aside.size(), 1U);
  EXPECT_EQ(copies.set_aside[0].oid, 2U);
}

TEST_F(VoidTest, WhatACopyEndedInSaysNothingOfTheNextOne) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.leave(left(2, Remedy::Copy));
  const auto begun = tables_.begin_copy({1, 2}, Lsn{500});
  const auto refused = [&](Oid oid) { return left(oid, Remedy::Person, begun.at(oid)); };
  TableRecord asked;
  asked.oid = 1;
  for (const TableState state : {TableState::Paused, TableState::Waiting}) {
    asked.state = state;
    tables_.granted(asked);
  }
  EXPECT_EQ(tables_.begin_copy({1}, Lsn{600}).size(), 1U);
  StagedBatch copies = batch(BatchKind::Copy, 1);
  copies.set_aside = {refused(1), refused(2)};
  take_void(copies, tables_);
  ASSERT_EQ(copies.set_aside.size(), 1U);
  EXPECT_EQ(copies.set_aside[0].oid, 2U);
}

TEST_F(VoidTest, RowsOfTheStreamStay) {
  StagedBatch stream = batch(BatchKind::Stream, 1);
  stream.layers.push_back(copied(9, 1));
  stream.layers[0].copy.reset();
  EXPECT_TRUE(take_void(stream, tables_).empty());
  EXPECT_EQ(stream.layers.size(), 1U);
}

}  // namespace
}  // namespace re_dms::load_order_test
