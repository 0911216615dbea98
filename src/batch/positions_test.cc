// Tables that are ahead of where reading starts: what they hold already is skipped.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::positions_test {
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

/// Items stand where reading starts, orders at `position`; at 1190 the second transaction commits.
FoldRun run_with(const TableSchema& ahead, BatchLimits limits = {}, Lsn position = Lsn{1190}) {
  return {limits, {{ahead, true, position}, {items(), true}}};
}

TEST(Positions, ATransactionThatCommitsAtTheTablesPositionIsTheFirstOne) {
  FoldRun run = run_with(orders());
  for (const char* id : {"1", "2", "3"}) {
    run.transaction([&](StreamBuilder& to) {
      to.insert(kOrders, {id, "a"}).insert(kItems, {id, "a"});
    });
  }
  EXPECT_EQ(run.seal(), "items:\nI 1,a\nI 2,a\nI 3,a\norders:\nI 2,a\nI 3,a\n");
  EXPECT_EQ(run.last().span.changes, 5U);
}

TEST(Positions, ATruncationThatTheTableHoldsIsSkipped) {
  FoldRun run = run_with(orders());
  run.transaction([](StreamBuilder& to) {
    to.insert(kItems, {"1", "a"}).truncate({kOrders, kItems}).insert(kOrders, {"1", "a"});
  });
  run.transaction([](StreamBuilder& to) { to.erase(kOrders, {"1", kNull}); });
  EXPECT_EQ(run.seal(), "items: truncate\norders:\nD 1\n");
}

TEST(Positions, ASchemaChangeThatTheTableHoldsBeginsNoBatch) {
  FoldRun run = run_with(wider());
  run.transaction([](StreamBuilder& to) {
    to.relation(orders()).insert(kOrders, {"1", "a"}).insert(kItems, {"1", "a"});
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"3", "a", "b"}); });
  ASSERT_TRUE(run.sink.batches.empty());
  EXPECT_EQ(run.seal(), "items:\nI 1,a\norders:\nI 3,a,b\n");
}

/// The table was altered, and nobody wrote to it before it was copied. Then the catalog was asked.
void alter_before_its_position(FoldRun& run) {
  run.transaction([](StreamBuilder& to) {
    to.relation(wider()).insert(kOrders, {"1", "a", "b"}).insert(kItems, {"1", "a"});
  });
  run.transaction([](StreamBuilder& to) {
    to.insert(kItems, {"2", "a"}).catalog({{orders(), true}});
  });
  EXPECT_EQ(run.seal(), "items:\nI 1,a\nI 2,a\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(Positions, ARelationThatIsOlderThanTheTableIsNoNews) {
  FoldRun run = run_with(orders());
  alter_before_its_position(run);
  run.transaction([](StreamBuilder& to) { to.relation(orders()).insert(kOrders, {"2", "a"}); });
  EXPECT_EQ(run.seal(), "orders:\nI 2,a\n");
}

TEST(Positions, ARowOfARelationThatIsOlderThanTheTableIsNotTaken) {
  FoldRun run = run_with(orders());
  alter_before_its_position(run);
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"2", "a", "b"}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.at(0).remedy, Remedy::Copy);
}

TEST(Positions, ATableIsSetAsideWhereItStands) {
  FoldRun run = run_with(orders(), {.memory_bytes = 1U << 20, .row_bytes_max = 100});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", std::string(200, 'x')}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_TRUE(run.last().set_aside.empty());
  run.transaction([](StreamBuilder& to) {
    to.insert(kOrders, {"2", std::string(200, 'x')}).insert(kItems, {"2", std::string(200, 'x')});
  });
  run.seal();
  ASSERT_EQ(run.last().set_aside.size(), 2U);
  EXPECT_EQ(run.last().set_aside[0].position, Lsn{1190});
  EXPECT_EQ(run.last().set_aside[1].position, Lsn{1100});
}

TEST(Positions, FactsOfAnAbortedTransactionStayBelowThem) {
  FoldRun run = run_with(wider(), {}, Lsn{1290});
  run.transaction([](StreamBuilder& to) { to.relation(orders()).insert(kOrders, {"1", "a"}); });
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  run.abort();
  StreamBuilder facts;
  run.feed(facts.catalog({{items(), true}}), UnitKind::Facts);
  run.transaction([](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"3", "a", "b"}); });
  EXPECT_EQ(run.seal(), "orders:\nI 3,a,b\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(Positions, AnAbortedTransactionLeavesThem) {
  FoldRun run = run_with(orders());
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.abort();
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); });
  EXPECT_EQ(run.seal(), "orders:\nI 2,a\n");
}

}  // namespace
}  // namespace re_dms::positions_test
