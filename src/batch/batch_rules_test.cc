// Where batches begin and end.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::batch_rules_test {
namespace {

constexpr Oid kOrders = 100;

TableSchema orders() {
  return text_table(kOrders, "orders", {"id", "a"});
}

void consume(Batcher& batcher, Lsn commit, const char* id) {
  StreamBuilder records;
  records.begin(commit).relation(orders()).insert(kOrders, {id, "a"});
  records.commit(Lsn{commit.value + 10});
  batcher.consume(records.unit(UnitKind::Transaction));
}

TEST(BatchRules, ATransactionIsPassedOverWhenItCommittedBelowThePosition) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {{orders(), true}}, sink);
  consume(batcher, Lsn{990}, "1");
  EXPECT_EQ(batcher.position(), Lsn{1000});
  // A COMMIT often starts exactly at a consistent point: it is not part of the copy.
  consume(batcher, Lsn{1000}, "2");
  EXPECT_EQ(batcher.position(), Lsn{1010});
  batcher.seal();
  EXPECT_EQ(describe_changes(sink.batches.at(0).layers), "orders:\nI 2,a\n");
}

TEST(BatchRules, SpansFollowEachOther) {
  FoldRun run({orders()});
  EXPECT_EQ(run.seal(), "nothing");
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); });
  EXPECT_TRUE(run.batcher.has_work());
  run.seal();
  EXPECT_EQ(run.last().span,
            (BatchSpan{1, Lsn{1000}, Lsn{1200}, 2, 2, SystemTime(std::chrono::microseconds(1100)),
                       SystemTime(std::chrono::microseconds(1200))}));
  EXPECT_FALSE(run.batcher.has_work());
  EXPECT_EQ(run.seal(), "nothing");
  StreamBuilder idle;
  run.feed(idle.idle(Lsn{5000}), UnitKind::Idle);
  EXPECT_FALSE(run.batcher.has_work());
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().span, (BatchSpan{2, Lsn{1200}, Lsn{5000}, 0, 0, {}, {}}));
}

TEST(BatchRules, AnIdlePositionNeverGoesBack) {
  FoldRun run({orders()});
  StreamBuilder idle;
  run.feed(idle.idle(Lsn{5000}), UnitKind::Idle);
  idle.clear();
  run.feed(idle.idle(Lsn{4000}), UnitKind::Idle);
  EXPECT_EQ(run.batcher.position(), Lsn{5000});
}

TEST(BatchRules, AFullBatchIsSealedAtTheNextCommit) {
  FoldRun run({orders()}, {100'000, 1U << 20});
  for (int i = 0; i < 200; ++i) {
    run.transaction([&](StreamBuilder& to) {
      to.insert(kOrders, {Cell(std::to_string(i)), Cell(std::string(1000, 'x'))});
    });
    EXPECT_LT(run.batcher.memory_bytes(), 100'000U);
  }
  EXPECT_GE(run.sink.batches.size(), 2U);
  TargetModel target;
  target.create(orders());
  run.seal();
  Lsn from = FoldRun::kFrom;
  for (const SealedBatch& batch : run.sink.batches) {
    EXPECT_EQ(batch.span.from, from);
    from = batch.span.to;
    target.apply(batch);
  }
  EXPECT_EQ(target.tables[kOrders].size(), 200U);
}

TEST(BatchRules, ALargeDocumentThatChangesOftenStaysInOneBatch) {
  // What the fold has of a batch.memory of 64 MiB.
  FoldRun run({orders()}, {16U << 20, 64U << 20});
  for (std::size_t i = 0; i < 100; ++i) {
    run.transaction([&](StreamBuilder& to) {
      to.update(kOrders, {"1", Cell(std::string((2U << 20) + i % 5, 'd'))});
    });
    ASSERT_LT(run.batcher.memory_bytes(), 6U << 20);
  }
  EXPECT_TRUE(run.sink.batches.empty());
  run.seal();
  EXPECT_EQ(run.last().span.transactions, 100U);
}

TEST(BatchRules, ManySmallTablesFitIntoOneBatch) {
  std::vector<TableSchema> tables;
  for (Oid oid = 1; oid <= 1000; ++oid) {
    tables.push_back(text_table(oid, "t" + std::to_string(oid), {"id", "a"}));
  }
  FoldRun run(tables, {32U << 20, 1U << 20});
  for (const TableSchema& table : tables) {
    run.transaction([&](StreamBuilder& to) { to.insert(table.oid, {"1", "a"}); });
  }
  EXPECT_TRUE(run.sink.batches.empty());
}

TEST(BatchRules, RowsOfMoreThanTheIndexHoldsAtFirstAreFound) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) {
    for (int i = 0; i < 5000; ++i) {
      to.insert(kOrders, {Cell(std::to_string(i)), "a"});
    }
    for (int i = 0; i < 5000; i += 2) {
      to.erase(kOrders, {Cell(std::to_string(i)), kNull});
    }
    for (int i = 1; i < 5000; i += 2) {
      to.update(kOrders, {Cell(std::to_string(i)), "b"});
    }
  });
  run.seal();
  EXPECT_EQ(run.last().layers.at(0).counts, (LayerCounts{2500, 0, 0, 0}));
}

TEST(BatchRules, AJournalThatContradictsItselfEndsTheRun) {
  const auto fails = [](auto fill, UnitKind kind) {
    FoldRun run({orders()});
    run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
    StreamBuilder records;
    fill(records);
    EXPECT_THROW(run.feed(records, kind), Error);
  };
  fails([](StreamBuilder& to) { to.begin(Lsn{1050}).commit(Lsn{1060}); }, UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.begin(Lsn{1150}); }, UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.begin(Lsn{1150}).commit(Lsn{1150}); }, UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); }, UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); }, UnitKind::Facts);
  fails([](StreamBuilder& to) { to.begin(Lsn{1150}).idle(Lsn{1160}).commit(Lsn{1170}); },
        UnitKind::Transaction);
  fails(
      [](StreamBuilder& to) {
        to.begin(Lsn{1150}).commit(Lsn{1160}).insert(kOrders, {"2", "a"});
      },
      UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.begin(Lsn{1150}).begin(Lsn{1150}).commit(Lsn{1160}); },
        UnitKind::Transaction);
  fails([](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); }, UnitKind::NextPart);
  fails([](StreamBuilder&) {}, UnitKind::Abort);
  fails([](StreamBuilder&) {}, UnitKind::Idle);
  fails([](StreamBuilder&) {}, UnitKind::Transaction);
}

TEST(BatchRules, FactsAtTheStartCountWhereNothingStandsBefore) {
  // A segment that begins where the target stands: the one before it is gone.
  TableSchema known = text_table(100, "orders", {"id", "a"});
  known.publication = Publishing{{16000, 700}, {}};
  CatalogTable answer{known, true, Lsn{990}, {}};
  answer.schema.publication = Publishing{{16000, 701}, {}};
  for (const bool nothing_before : {true, false}) {
    RecordingSink sink;
    Batcher batcher({}, Lsn{1000}, {{known, true}}, sink);
    if (nothing_before) {
      batcher.begin_at(Lsn{1000});
    }
    StreamBuilder facts;
    batcher.consume(facts.catalog({answer}).unit(UnitKind::Facts));
    StreamBuilder idle;
    batcher.consume(idle.idle(Lsn{1010}).unit(UnitKind::Idle));
    batcher.seal();
    EXPECT_EQ(sink.batches.at(0).set_aside.size(), nothing_before ? 1U : 0U);
  }
}

}  // namespace
}  // namespace re_dms::batch_rules_test
