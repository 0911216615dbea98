// Every pair of changes of one row, with and without a row in the target.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::fold_rows_test {
namespace {

constexpr Oid kOrders = 100;

TableSchema orders() {
  return text_table(kOrders, "orders", {"id", "a", "b"});
}

/// Folds one transaction per change; what comes out.
template <typename... F>
std::string folded(F... change) {
  FoldRun run({orders()});
  (run.transaction(change), ...);
  return run.seal();
}

const auto kInsert = [](StreamBuilder& to) { to.insert(kOrders, {"1", "i", "i"}); };
const auto kUpdate = [](StreamBuilder& to) { to.update(kOrders, {"1", "u", "u"}); };
const auto kMasked = [](StreamBuilder& to) { to.update(kOrders, {"1", "m", kUnchanged}); };
const auto kDelete = [](StreamBuilder& to) { to.erase(kOrders, {"1", kNull, kNull}); };
const auto kMove = [](StreamBuilder& to) {
  to.update(kOrders, {"1", kNull, kNull}, {"2", "k", "k"});
};
const auto kMaskedMove = [](StreamBuilder& to) {
  to.update(kOrders, {"1", kNull, kNull}, {"2", "k", kUnchanged});
};

TEST(FoldRows, OneChange) {
  EXPECT_EQ(folded(kInsert), "orders:\nI 1,i,i\n");
  EXPECT_EQ(folded(kUpdate), "orders:\nR 1>1,u,u\n");
  EXPECT_EQ(folded(kMasked), "orders:\nU 1>1,m,~\n");
  EXPECT_EQ(folded(kDelete), "orders:\nD 1\n");
  EXPECT_EQ(folded(kMove), "orders:\nR 1>2,k,k\n");
  EXPECT_EQ(folded(kMaskedMove), "orders:\nU 1>2,k,~\n");
}

TEST(FoldRows, InsertThen) {
  EXPECT_EQ(folded(kInsert, kUpdate), "orders:\nI 1,u,u\n");
  EXPECT_EQ(folded(kInsert, kMasked), "orders:\nI 1,m,i\n");
  EXPECT_EQ(folded(kInsert, kDelete), "");
  EXPECT_EQ(folded(kInsert, kMove), "orders:\nI 2,k,k\n");
  EXPECT_EQ(folded(kInsert, kMaskedMove), "orders:\nI 2,k,i\n");
}

TEST(FoldRows, UpdateThen) {
  EXPECT_EQ(folded(kUpdate, kUpdate), "orders:\nR 1>1,u,u\n");
  EXPECT_EQ(folded(kUpdate, kMasked), "orders:\nR 1>1,m,u\n");
  EXPECT_EQ(folded(kUpdate, kDelete), "orders:\nD 1\n");
  EXPECT_EQ(folded(kUpdate, kMove), "orders:\nR 1>2,k,k\n");
  EXPECT_EQ(folded(kUpdate, kMaskedMove), "orders:\nR 1>2,k,u\n");
}

TEST(FoldRows, MaskedUpdateThen) {
  EXPECT_EQ(folded(kMasked, kUpdate), "orders:\nR 1>1,u,u\n");
  EXPECT_EQ(folded(kMasked, kMasked), "orders:\nU 1>1,m,~\n");
  EXPECT_EQ(folded(kMasked, kDelete), "orders:\nD 1\n");
  EXPECT_EQ(folded(kMasked, kMove), "orders:\nR 1>2,k,k\n");
  EXPECT_EQ(folded(kMasked, kMaskedMove), "orders:\nU 1>2,k,~\n");
}

TEST(FoldRows, DeleteThenInsertReplacesTheRow) {
  EXPECT_EQ(folded(kDelete, kInsert), "orders:\nR 1>1,i,i\n");
  EXPECT_EQ(folded(kDelete, kInsert, kMasked), "orders:\nR 1>1,m,i\n");
  EXPECT_EQ(folded(kDelete, kInsert, kDelete), "orders:\nD 1\n");
  EXPECT_EQ(folded(kDelete, kInsert, kMove), "orders:\nR 1>2,k,k\n");
}

TEST(FoldRows, MoveThenInsertOfTheOldKeyMakesTwoRows) {
  EXPECT_EQ(folded(kMove, kInsert), "orders:\nR 1>2,k,k\nI 1,i,i\n");
  EXPECT_EQ(folded(kMaskedMove, kInsert), "orders:\nU 1>2,k,~\nI 1,i,i\n");
  EXPECT_EQ(folded(kMove, kInsert, kDelete), "orders:\nR 1>2,k,k\n");
  EXPECT_EQ(folded(kMove, kInsert, kDelete, kInsert), "orders:\nR 1>2,k,k\nI 1,i,i\n");
}

TEST(FoldRows, RowsThatComeAndGoLeaveNothingAndTakeNoRoom) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { kInsert(to), kDelete(to); });
  EXPECT_FALSE(run.batcher.has_work());
  const std::size_t before = run.batcher.memory_bytes();
  for (int i = 0; i < 10'000; ++i) {
    run.transaction([&](StreamBuilder& to) {
      const std::string id = std::to_string(i);
      to.insert(kOrders, {Cell(id), "a", "b"}).erase(kOrders, {Cell(id), kNull, kNull});
    });
  }
  EXPECT_EQ(run.batcher.memory_bytes(), before);
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().span.transactions, 10'001U);
  EXPECT_EQ(run.last().span.changes, 20'002U);
}

TEST(FoldRows, ADeletedRowGivesItsMemoryBack) {
  FoldRun run({orders()});
  const std::string large(100'000, 'x');
  for (int i = 0; i < 50; ++i) {
    run.transaction([&](StreamBuilder& to) {
      const std::string id = std::to_string(i);
      to.update(kOrders, {Cell(id), Cell(large), "b"}).erase(kOrders, {Cell(id), kNull, kNull});
    });
  }
  EXPECT_LT(run.batcher.memory_bytes(), 300'000U);
}

TEST(FoldRows, NullEmptyAndUnchangedStayApart) {
  EXPECT_EQ(folded(
                [](StreamBuilder& to) {
                  to.update(kOrders, {"1", kNull, kUnchanged});
                },
                [](StreamBuilder& to) {
                  to.update(kOrders, {"2", "", kUnchanged});
                }),
            "orders:\nU 1>1,NULL,~\nU 2>2,,~\n");
}

TEST(FoldRows, CountsTellWhatALayerHolds) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a", "b"}).insert(kOrders, {"2", "a", "b"});
    to.erase(kOrders, {"2", kNull, kNull});
    to.update(kOrders, {"3", "a", "b"}).update(kOrders, {"4", "a", kUnchanged});
    to.erase(kOrders, {"5", kNull, kNull}).erase(kOrders, {"6", kNull, kNull});
  });
  run.seal();
  EXPECT_EQ(run.last().layers.at(0).counts, (LayerCounts{1, 1, 1, 2}));
}

TEST(FoldRows, ARowOfAnotherNumberOfColumnsEndsTheRun) {
  FoldRun run({orders()});
  EXPECT_THROW(run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); }), Error);
}

}  // namespace
}  // namespace re_dms::fold_rows_test
