// Rows that nothing tells apart: REPLICA IDENTITY FULL without a key to go by.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::multiset_fold_test {
namespace {

constexpr Oid kTable = 100;

TableSchema heap() {
  TableSchema table = text_table(kTable, "heap", {"a", "b"}, 0);
  table.identity = ReplicaIdentity::Full;
  return table;
}

StreamBuilder& change(StreamBuilder& to, const Cells& old, const Cells& row) {
  return to.message(update_message(kTable, old, row, 'O'));
}

StreamBuilder& erase(StreamBuilder& to, const Cells& old) {
  return to.message(delete_message(kTable, old, 'O'));
}

template <typename F>
std::string folded(F fill) {
  FoldRun run({heap()});
  run.transaction(fill);
  return run.seal();
}

TEST(MultisetFold, CountsEqualRows) {
  EXPECT_EQ(
      folded([](StreamBuilder& to) {
        to.insert(kTable, {"1", kNull}).insert(kTable, {"1", ""}).insert(kTable, {"1", kNull});
      }),
      "heap:\nI 1,NULL x2\nI 1,\n");
}

TEST(MultisetFold, AnUpdateIsOneLessAndOneMore) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              change(to, {"1", "x"}, {"1", "y"});
              change(to, {"1", "x"}, {"1", "y"});
              change(to, {"1", "y"}, {"1", "z"});
            }),
            "heap:\nD 1,x x2\nI 1,y\nI 1,z\n");
}

TEST(MultisetFold, WhatComesAndGoesLeavesNothing) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.insert(kTable, {"1", "x"});
              erase(to, {"1", "x"});
              erase(to, {"2", "x"});
              to.insert(kTable, {"2", "x"});
              change(to, {"3", "x"}, {"3", "x"});
              to.insert(kTable, {"4", "x"});
            }),
            "heap:\nI 4,x\n");
}

TEST(MultisetFold, ADeferrableKeyThatMovesEveryRowIsNoKey) {
  // UPDATE t SET id = id + 1 over 1:A, 2:B, 3:C, as PostgreSQL 15 sends it.
  EXPECT_EQ(folded([](StreamBuilder& to) {
              change(to, {"1", "A"}, {"2", "A"});
              change(to, {"2", "B"}, {"3", "B"});
              change(to, {"3", "C"}, {"4", "C"});
            }),
            "heap:\nD 1,A\nI 2,A\nD 2,B\nI 3,B\nD 3,C\nI 4,C\n");
}

TEST(MultisetFold, AnUnchangedValueIsThatOfTheOldRow) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              change(to, {"1", "long"}, {"2", kUnchanged});
              change(to, {"5", kNull}, {kUnchanged, "x"});
            }),
            "heap:\nD 1,long\nI 2,long\nD 5,NULL\nI 5,x\n");
}

TEST(MultisetFold, TruncateForgetsTheCounts) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              erase(to, {"1", "x"});
              to.truncate({kTable}).insert(kTable, {"1", "x"});
            }),
            "heap: truncate\nI 1,x\n");
}

TEST(MultisetFold, SetsTheTableAsideWhenARowIsNotKnown) {
  const auto reason = [](auto fill) {
    FoldRun run({heap()});
    run.transaction(fill);
    run.batcher.seal();
    return run.last().set_aside.empty() ? "" : run.last().set_aside[0].reason;
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(reason([](StreamBuilder& to) {
                to.update(kTable, {"1", "x"});
              }),
              HasSubstr("without the whole old row"));
  EXPECT_THAT(reason([](StreamBuilder& to) {
                to.erase(kTable, {"1", kNull});
              }),
              HasSubstr("without the whole old row"));
  EXPECT_THAT(reason([](StreamBuilder& to) {
                to.insert(kTable, {"1", kUnchanged});
              }),
              HasSubstr("without the value of a large column"));
  EXPECT_THAT(reason([](StreamBuilder& to) {
                erase(to, {"1", kUnchanged});
              }),
              HasSubstr("lacks a value"));
  EXPECT_THAT(reason([](StreamBuilder& to) {
                change(to, {"1", kUnchanged}, {"1", "x"});
              }),
              HasSubstr("lacks a value"));
}

}  // namespace
}  // namespace re_dms::multiset_fold_test
