// Truncation, schema changes and new tables: where layers begin.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::fold_schema_test {
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

TEST(FoldSchema, TruncateForgetsTheRowsBeforeIt) {
  FoldRun run({orders(), items()});
  run.transaction([](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a"}).insert(kItems, {"1", "a"}).truncate({kOrders});
    to.insert(kOrders, {"1", "b"});
  });
  run.transaction([](StreamBuilder& to) { to.update(kOrders, {"1", "c"}); });
  EXPECT_EQ(run.seal(), "items:\nI 1,a\norders: truncate\nI 1,c\n");
}

TEST(FoldSchema, TruncateOfSeveralTablesTwice) {
  FoldRun run({orders(), items()});
  for (int i = 0; i < 2; ++i) {
    run.transaction([](StreamBuilder& to) {
      to.truncate({kItems, kOrders}).insert(kItems, {"1", "a"});
    });
  }
  EXPECT_EQ(run.seal(), "items: truncate\nI 1,a\norders: truncate\n");
}

TEST(FoldSchema, AnAddedColumnStartsABatch) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  ASSERT_EQ(run.sink.batches.size(), 1U);
  EXPECT_EQ(describe_changes(run.last().layers), "orders:\nI 1,a\n");
  EXPECT_EQ(run.last().span.to, Lsn{1100});
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a,b\n");
  EXPECT_EQ(run.last().span.from, Lsn{1100});
}

TEST(FoldSchema, AColumnAddedInsideATransactionSeparatesItsRows) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) {
    to.relation(orders()).insert(kOrders, {"1", "a"});
    to.relation(wider()).catalog({{wider(), true}}).update(kOrders, {"1", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\norders: +b\nR 1>1,a,b\n");
}

TEST(FoldSchema, AColumnIsAddedWhenTheFileIsTheOneLastHeardOf) {
  const auto in_file = [](TableSchema table, Oid file_node) {
    table.history.file_node = file_node;
    return table;
  };
  FoldRun run({orders()});
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{in_file(orders(), 900), true}}).relation(orders()).insert(kOrders, {"1", "a"});
    to.catalog({{in_file(wider(), 900), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders: store\nI 1,a\norders: +b\nI 2,a,b\n");
  const TableSchema widest = text_table(kOrders, "orders", {"id", "a", "b", "c"});
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{in_file(widest, 901), true}}).relation(widest);
    to.insert(kOrders, {"3", "a", "b", "c"});
  });
  EXPECT_EQ(run.seal(), "");
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_NE(run.last().set_aside[0].reason.find("\"c\" was added and the table was rewritten"),
            std::string::npos);
}

TEST(FoldSchema, AColumnThatWasGeneratedHasValuesNobodySent) {
  TableSchema with_generated = orders();
  with_generated.history.last_attnum = 3;
  FoldRun run({orders()});
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{with_generated, true}}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "orders: store\nI 1,a\n");
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "");
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_NE(run.last().set_aside[0].reason.find("generated"), std::string::npos);
}

TEST(FoldSchema, TruncateKeepsSchemaChanges) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(wider()).insert(kOrders, {"2", "a", "b"});
    to.truncate({kOrders}).insert(kOrders, {"3", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\norders: truncate\nI 3,a,b\n");
}

TEST(FoldSchema, AnEqualRelationChangesNothing) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([](StreamBuilder& to) {
    to.relation(orders()).catalog({{orders(), true}}).update(kOrders, {"1", "b"});
  });
  EXPECT_EQ(run.seal(), "orders:\nI 1,b\n");
}

TEST(FoldSchema, AColumnThatWasDroppedAndAddedAgainSetsTheTableAside) {
  FoldRun run({orders()});
  TableSchema again = orders();
  again.columns[1].attnum = 3;
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([&](StreamBuilder& to) {
    to.relation(orders()).catalog({{again, true}}).insert(kOrders, {"2", "a"});
  });
  // It is copied anew, so no batch ends before it.
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.sink.batches.size(), 1U);
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_NE(run.last().set_aside[0].reason.find("dropped"), std::string::npos);
  EXPECT_EQ(run.last().set_aside[0].position, run.last().span.from);
}

TEST(FoldSchema, ADroppedColumnGoesWhereTheStreamLacksIt) {
  const TableSchema wide = wider();
  TableSchema narrow = orders();
  narrow.history.last_attnum = narrow.history.last_dropped = 3;
  FoldRun run({wide});
  // The catalog is ahead: a row of the wide table still comes.
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{narrow, true}}).relation(wide).insert(kOrders, {"1", "a", "x"});
  });
  run.transaction([&](StreamBuilder& to) {
    to.relation(narrow).catalog({{narrow, true}}).insert(kOrders, {"2", "b"});
  });
  EXPECT_EQ(describe_changes(run.last().layers), "orders:\nI 1,a,x\n");
  EXPECT_EQ(run.seal(), "orders: -b\nI 2,b\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(FoldSchema, AnotherKeyStartsALayer) {
  TableSchema rekeyed = orders();
  rekeyed.identity = ReplicaIdentity::Index;
  rekeyed.columns[0].key = false;
  rekeyed.columns[1].key = true;
  FoldRun run({orders()});
  run.transaction([&](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a"}).relation(rekeyed).erase(kOrders, {kNull, "a"});
  });
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\norders: store\nD a\n");
}

TEST(FoldSchema, ANewTableIsCreatedAlsoWhenItIsEmpty) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  StreamBuilder facts;
  run.feed(facts.catalog({{items(), true}}), UnitKind::Facts);
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\nitems: create\n");
  EXPECT_EQ(run.seal(), "nothing");
}

TEST(FoldSchema, ANewTableTakesItsRows) {
  FoldRun run({});
  run.transaction([](StreamBuilder& to) {
    to.catalog({{items(), true}}).relation(items()).insert(kItems, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "items: create\nI 1,a\n");
}

TEST(FoldSchema, ANewTableHasTheShapeOfItsFirstRows) {
  // The catalog is ahead of the stream: a column was added in the meantime.
  FoldRun run({});
  run.transaction([](StreamBuilder& to) {
    to.catalog({{wider(), true}}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  run.transaction([](StreamBuilder& to) { to.relation(wider()).insert(kOrders, {"2", "a", "b"}); });
  ASSERT_EQ(run.sink.batches.size(), 1U);
  EXPECT_EQ(describe_changes(run.last().layers), "orders: create\nI 1,a\n");
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a,b\n");
}

TEST(FoldSchema, ARelationCorrectsWhatTheCatalogSaidTooEarly) {
  FoldRun run({});
  StreamBuilder facts;
  run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
  facts.clear();
  run.feed(facts.catalog({{wider(), true}}), UnitKind::Facts);
  EXPECT_TRUE(run.batcher.has_work());
  run.transaction([](StreamBuilder& to) { to.relation(orders()).insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(run.seal(), "orders: create\nI 1,a\n");
  run.transaction([](StreamBuilder& to) { to.relation(wider()).insert(kOrders, {"2", "a", "b"}); });
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a,b\n");
}

TEST(FoldSchema, FactsPassedOverAreNotComparedWithANewerTarget) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{2000}, {{wider(), true}}, sink);
  StreamBuilder records;
  // Below 2000: the table was narrower, then became what the target has.
  batcher.consume(records.relation_in_force(orders()).unit(UnitKind::Facts));
  records.clear();
  records.begin(Lsn{1000}).relation(orders()).insert(kOrders, {"1", "a"}).commit(Lsn{1100});
  batcher.consume(records.unit(UnitKind::Transaction));
  records.clear();
  records.begin(Lsn{1500}).relation(wider()).insert(kOrders, {"2", "a", "b"}).commit(Lsn{1600});
  batcher.consume(records.unit(UnitKind::Transaction));
  records.clear();
  records.begin(Lsn{2000}).insert(kOrders, {"3", "a", "b"}).commit(Lsn{2100});
  batcher.consume(records.unit(UnitKind::Transaction));
  batcher.seal();
  EXPECT_EQ(describe_changes(sink.batches.at(0).layers), "orders:\nI 3,a,b\n");
  EXPECT_TRUE(sink.batches[0].set_aside.empty());
}

TEST(FoldSchema, ATableIsCreatedOnceThePositionIsReached) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {}, sink);
  StreamBuilder records;
  batcher.consume(records.catalog({{items(), true}}).unit(UnitKind::Facts));
  EXPECT_FALSE(batcher.has_work());
  records.clear();
  batcher.consume(records.idle(Lsn{1000}).unit(UnitKind::Idle));
  EXPECT_TRUE(batcher.has_work());
  batcher.seal();
  EXPECT_TRUE(sink.batches.empty()) << "a batch must end beyond where it begins";
  records.clear();
  batcher.consume(records.idle(Lsn{1200}).unit(UnitKind::Idle));
  batcher.seal();
  EXPECT_EQ(describe_changes(sink.batches.at(0).layers), "items: create\n");
}

}  // namespace
}  // namespace re_dms::fold_schema_test
