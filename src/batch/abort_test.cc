// Large transactions in parts: cut into layers, taken back, sent again.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::abort_test {
namespace {

constexpr Oid kOrders = 100;
constexpr Oid kItems = 101;

TableSchema orders() {
  return text_table(kOrders, "orders", {"id", "a"});
}

TableSchema wider() {
  return text_table(kOrders, "orders", {"id", "a", "b"});
}

TableSchema items() {
  return text_table(kItems, "items", {"id", "a"});
}

const auto kNothing = [](StreamBuilder&) {};

/// Small enough that each part of 50 rows of 1 kB is cut.
constexpr BatchLimits kSmall{40'000, 1U << 20};

auto rows(int first) {
  return [first](StreamBuilder& to) {
    for (int i = first; i < first + 50; ++i) {
      to.insert(kOrders, {Cell(std::to_string(i)), Cell(std::string(1000, 'x'))});
    }
  };
}

TEST(LargeTransaction, StartsABatchOfItsOwn) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); });
  ASSERT_EQ(run.sink.batches.size(), 1U);
  EXPECT_EQ(run.last().span.to, Lsn{1100});
  EXPECT_TRUE(run.batcher.in_transaction());
  EXPECT_EQ(run.batcher.position(), Lsn{1100});
  EXPECT_THROW(run.batcher.seal(), Error);
  run.part(UnitKind::NextPart, [](StreamBuilder& to) { to.update(kOrders, {"2", "b"}); });
  run.part(UnitKind::LastPart, kNothing);
  EXPECT_FALSE(run.batcher.in_transaction());
  EXPECT_EQ(run.batcher.position(), Lsn{1200});
  EXPECT_EQ(run.seal(), "orders:\nI 2,b\n");
  EXPECT_EQ(run.last().span.transactions, 1U);
  EXPECT_EQ(run.last().span.changes, 2U);
}

TEST(LargeTransaction, IsCutIntoLayersWhenItOutgrowsMemory) {
  FoldRun run({orders()}, kSmall);
  run.part(UnitKind::FirstPart, rows(0));
  run.part(UnitKind::NextPart, [](StreamBuilder& to) {
    to.update(kOrders, {"0", "changed"}).erase(kOrders, {"1", kNull});
  });
  EXPECT_GE(run.sink.open.size(), 1U);
  run.part(UnitKind::NextPart, rows(50));
  EXPECT_GE(run.sink.open.size(), 2U);
  EXPECT_LT(run.batcher.memory_bytes(), 50'000U);
  run.part(UnitKind::LastPart, kNothing);
  run.seal();
  TargetModel target;
  target.create(orders());
  target.apply(run.last());
  EXPECT_EQ(target.tables[kOrders].size(), 99U);
  EXPECT_TRUE(run.batcher.memory_bytes() == 0);
}

TEST(LargeTransaction, ThatIsCutOffNeverHappened) {
  FoldRun run({orders(), items()}, kSmall);
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1000", "a"}); });
  run.part(UnitKind::FirstPart, rows(0));
  run.part(UnitKind::NextPart, [](StreamBuilder& to) {
    to.relation(wider()).catalog({{wider(), true}}).insert(kOrders, {"60", "a", "b"});
    to.truncate({kItems});
  });
  EXPECT_FALSE(run.sink.open.empty());
  run.abort();
  EXPECT_EQ(run.sink.drops, 1);
  EXPECT_FALSE(run.batcher.in_transaction());
  EXPECT_FALSE(run.batcher.has_work());
  EXPECT_EQ(run.batcher.position(), Lsn{1100});
  EXPECT_EQ(run.batcher.memory_bytes(), 0U);
  // The same comes again, on a new connection.
  run.transaction([](StreamBuilder& to) {
    to.relation(orders()).insert(kOrders, {"1", "a"});
    to.relation(wider()).insert(kOrders, {"60", "a", "b"});
    to.truncate({kItems});
  });
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\norders: +b\nI 60,a,b\nitems: truncate\n");
  EXPECT_EQ(run.last().span.from, Lsn{1100});
  EXPECT_EQ(run.last().span.to, Lsn{1200});
}

TEST(LargeTransaction, TakesBackWhatItSetAside) {
  FoldRun run({orders()});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a"}).insert(kOrders, {"1", "a"});
  });
  run.abort();
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(LargeTransaction, DoesNotTakeBackWhatTheWarehouseSetAside) {
  FoldRun run({orders()});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.batcher.set_aside(kOrders);
  run.abort();
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(run.seal(), "");
}

TEST(LargeTransaction, KeepsTheCatalogOfAnAbortedPart) {
  FoldRun run({orders()});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
    to.catalog({{items(), true}}).relation(items()).insert(kItems, {"1", "a"});
  });
  run.abort();
  EXPECT_FALSE(run.batcher.has_work());
  run.transaction([](StreamBuilder& to) { to.relation(items()).insert(kItems, {"2", "a"}); });
  EXPECT_EQ(run.seal(), "items: create\nI 2,a\n");
}

TEST(LargeTransaction, GivesBackWorkThatCouldNotBeSealedBeforeIt) {
  // A table is created at the very position where the batch begins, which cannot end there.
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {}, sink);
  StreamBuilder records;
  batcher.consume(records.idle(Lsn{1000}).unit(UnitKind::Idle));
  records.clear();
  batcher.consume(records.catalog({{items(), true}, {orders(), false}}).unit(UnitKind::Facts));
  for (int round = 0; round < 2; ++round) {
    records.clear();
    records.begin(Lsn{1000}).relation(items()).insert(kItems, {"1", "a"});
    batcher.consume(records.unit(UnitKind::FirstPart));
    batcher.consume({UnitKind::Abort, {}});
  }
  records.clear();
  batcher.consume(records.idle(Lsn{1001}).unit(UnitKind::Idle));
  batcher.seal();
  EXPECT_EQ(describe_changes(sink.batches.at(0).layers), "items: create\n");
  EXPECT_EQ(sink.batches[0].set_aside.size(), 1U);
}

TEST(LargeTransaction, VoidsLayersThatWereHandedOnWhenItsTableFails) {
  FoldRun run({orders(), items()}, kSmall);
  run.part(UnitKind::FirstPart, rows(0));
  ASSERT_FALSE(run.sink.open.empty());
  run.part(UnitKind::LastPart, [](StreamBuilder& to) {
    to.insert(kItems, {"1", "a"}).insert(kOrders, {"70", kUnchanged});
  });
  run.seal();
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_EQ(run.last().set_aside[0].oid, kOrders);
  EXPECT_EQ(run.last().set_aside[0].position, run.last().span.from);
  EXPECT_EQ(describe_changes(run.last().layers.back()), "items:\nI 1,a\n");
}

TEST(LargeTransaction, IsPassedOverInPartsToo) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{2000}, {{orders(), true}}, sink);
  StreamBuilder records;
  records.begin(Lsn{1990}).relation(orders()).insert(kOrders, {"1", "a"});
  batcher.consume(records.unit(UnitKind::FirstPart));
  EXPECT_FALSE(batcher.in_transaction());
  batcher.consume({UnitKind::Abort, {}});
  batcher.consume(records.unit(UnitKind::FirstPart));
  StreamBuilder rest;
  rest.begin(Lsn{1990});
  rest.clear();
  batcher.consume(rest.insert(kOrders, {"2", "a"}).commit(Lsn{2000}).unit(UnitKind::LastPart));
  EXPECT_FALSE(batcher.has_work());
  EXPECT_EQ(sink.drops, 0);
  records.clear();
  records.begin(Lsn{2000}).insert(kOrders, {"3", "a"}).commit(Lsn{2100});
  batcher.consume(records.unit(UnitKind::Transaction));
  batcher.seal();
  EXPECT_EQ(describe_changes(sink.batches.at(0).layers), "orders:\nI 3,a\n");
}

}  // namespace
}  // namespace re_dms::abort_test
