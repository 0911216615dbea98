// Tables that cannot go on: each with its reason, none at the cost of the others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/row_fault.h"
#include "batch/testing/fold_run.h"

namespace re_dms::set_aside_test {
namespace {

using ::testing::HasSubstr;

constexpr Oid kOrders = 100;
constexpr Oid kItems = 101;

TableSchema orders() {
  return text_table(kOrders, "orders", {"id", "a"});
}

TableSchema items() {
  return text_table(kItems, "items", {"id", "a"});
}

/// Runs a good transaction and then `fill` over both tables; the reason of the one set aside.
template <typename F>
std::string reason_of(F fill, BatchLimits limits = {}) {
  FoldRun run({orders(), items()}, limits);
  run.transaction([](StreamBuilder& to) {
    to.insert(kOrders, {"9", "a"}).insert(kItems, {"9", "a"});
  });
  run.transaction([&](StreamBuilder& to) { fill(to), to.insert(kItems, {"8", "a"}); });
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"7", "a"}); });
  EXPECT_EQ(run.seal(), "items:\nI 9,a\nI 8,a\n");
  if (run.last().set_aside.size() != 1) {
    return "";
  }
  const SetAside& aside = run.last().set_aside[0];
  EXPECT_EQ(aside.oid, kOrders);
  EXPECT_EQ(aside.table, orders().name);
  EXPECT_EQ(aside.position, FoldRun::kFrom);
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"6", "a"}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_TRUE(run.last().set_aside.empty()) << "reported once";
  return aside.reason;
}

std::string text_of(RowFault fault) {
  return std::string(describe(fault));
}

TEST(SetAside, WhatCannotBeFolded) {
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.insert(kOrders, {"1", kUnchanged});
              }),
              HasSubstr(text_of(RowFault::InsertWithoutValue)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.insert(kOrders, {kNull, "a"});
              }),
              HasSubstr(text_of(RowFault::KeyIsNull)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kOrders, {kUnchanged, "a"});
              }),
              HasSubstr(text_of(RowFault::KeyNotSent)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.message(delete_message(kOrders, {"1", "a"}, 'O'));
              }),
              HasSubstr(text_of(RowFault::FullOldTuple)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.message(update_message(kOrders, {"1", "a"}, {"1", "b"}, 'O'));
              }),
              HasSubstr(text_of(RowFault::FullOldTuple)));
}

TEST(SetAside, AStreamThatContradictsItself) {
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.insert(kOrders, {"9", "b"});
              }),
              HasSubstr(text_of(RowFault::InsertOfPresentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kOrders, {"1", "a"}).insert(kOrders, {"1", "a"});
              }),
              HasSubstr(text_of(RowFault::InsertOfPresentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.erase(kOrders, {"1", kNull}).erase(kOrders, {"1", kNull});
              }),
              HasSubstr(text_of(RowFault::ChangeOfAbsentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.erase(kOrders, {"1", kNull}).update(kOrders, {"1", "a"});
              }),
              HasSubstr(text_of(RowFault::ChangeOfAbsentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kOrders, {"1", kNull}, {"2", "a"}).update(kOrders, {"1", "a"});
              }),
              HasSubstr(text_of(RowFault::ChangeOfAbsentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kOrders, {"1", kNull}, {"2", "a"}).insert(kOrders, {"1", "a"});
                to.erase(kOrders, {"1", kNull}).erase(kOrders, {"1", kNull});
              }),
              HasSubstr(text_of(RowFault::ChangeOfAbsentRow)));
  EXPECT_THAT(reason_of([](StreamBuilder& to) {
                to.update(kOrders, {"1", kNull}, {"9", "a"});
              }),
              HasSubstr(text_of(RowFault::MoveOntoPresentRow)));
}

TEST(SetAside, ARowThatIsTooLarge) {
  const BatchLimits limits{1U << 20, 1000};
  const std::string reason = reason_of(
      [](StreamBuilder& to) {
        to.insert(kOrders, {"1", Cell(std::string(2000, 'x'))});
      },
      limits);
  EXPECT_THAT(reason, HasSubstr(text_of(RowFault::RowTooLarge)));
  EXPECT_THAT(reason, HasSubstr("2013 bytes). Raise it, and batch.memory"));
  EXPECT_THAT(reason, HasSubstr(to_string(Lsn{1190})));
}

TEST(SetAside, ARowThatBecomesTooLargeByItsEarlierValues) {
  FoldRun run({text_table(kOrders, "orders", {"id", "a", "b"})}, {1U << 20, 1000});
  const Cell half(std::string(600, 'x'));
  run.transaction([&](StreamBuilder& to) {
    to.update(kOrders, {"1", half, kUnchanged}).update(kOrders, {"1", kUnchanged, half});
  });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.size(), 1U);
}

TEST(SetAside, ReplicaIdentitiesThatDoNotFold) {
  TableSchema changed = orders();
  changed.identity = ReplicaIdentity::Nothing;
  FoldRun nothing({orders()});
  nothing.transaction([&](StreamBuilder& to) { to.relation(changed).insert(kOrders, {"1", "a"}); });
  EXPECT_EQ(nothing.seal(), "");
  EXPECT_THAT(nothing.last().set_aside.at(0).reason, HasSubstr("replica identity"));
  TableSchema keyless = text_table(kOrders, "orders", {"id"}, 0);
  FoldRun run({});
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{keyless, true}}).relation(keyless).insert(kOrders, {"1"});
  });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.size(), 1U);
}

TEST(SetAside, AKeyThatPostgresDoesNotSendWhole) {
  CatalogTable told{orders(), true};
  told.unsent_key = true;
  FoldRun live({orders(), items()});
  live.transaction([&](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a"}).catalog({told}).relation(orders()).insert(kItems, {"1", "a"});
  });
  live.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "b"}); });
  live.seal();
  ASSERT_EQ(live.last().set_aside.size(), 1U);
  EXPECT_THAT(live.last().set_aside[0].reason, HasSubstr("generated column"));
  // Nor is one that was met like that, of which other reasons speak too.
  told.admitted = false;
  FoldRun unmet({});
  unmet.transaction([&](StreamBuilder& to) {
    to.catalog({told}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  EXPECT_EQ(unmet.seal(), "");
  EXPECT_THAT(unmet.last().set_aside.at(0).reason, HasSubstr("generated column"));
}

/// A row filter makes an insert of an update that brings a row into it. A copy has the value.
TEST(SetAside, AnInsertWithoutALargeValueIsNobodysDecision) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", kUnchanged}); });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.at(0).remedy, Remedy::Copy);
}

TEST(SetAside, ATableMetWithRows) {
  FoldRun run({orders()});
  run.transaction([](StreamBuilder& to) {
    to.catalog({{items(), false}}).relation(items()).insert(kItems, {"1", "a"});
    to.insert(kOrders, {"1", "a"});
  });
  run.transaction([](StreamBuilder& to) { to.relation(items()).update(kItems, {"1", "b"}); });
  EXPECT_EQ(run.seal(), "orders:\nI 1,a\n");
  ASSERT_EQ(run.last().set_aside.size(), 1U);
  EXPECT_EQ(run.last().set_aside[0].table, items().name);
  EXPECT_THAT(run.last().set_aside[0].reason, HasSubstr("rows are to be copied"));
  EXPECT_EQ(run.last().set_aside[0].remedy, Remedy::Copy);
}

TEST(SetAside, ATableKnownAsNotLiveIsSkippedInSilence) {
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {{items(), false}}, sink);
  StreamBuilder records;
  records.begin(Lsn{1000}).catalog({{items(), false}}).relation(items());
  records.insert(kItems, {"1", "a"}).truncate({kItems}).commit(Lsn{1100});
  batcher.consume(records.unit(UnitKind::Transaction));
  EXPECT_FALSE(batcher.has_work());
  batcher.seal();
  EXPECT_TRUE(sink.batches.at(0).layers.empty());
  EXPECT_TRUE(sink.batches[0].set_aside.empty());
}

TEST(SetAside, AnotherTableOfTheSameName) {
  FoldRun run({orders()});
  TableSchema successor = orders();
  successor.oid = 500;
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{successor, true}}).relation(successor).insert(500, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "");
  EXPECT_EQ(run.last().set_aside.at(0).oid, 500U);
}

TEST(SetAside, ByTheWarehouseIsNotReportedAgain) {
  FoldRun run({orders(), items()});
  run.transaction([](StreamBuilder& to) {
    to.insert(kOrders, {"1", "a"}).insert(kItems, {"1", "a"});
  });
  run.batcher.set_aside(kOrders);
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"2", "a"}); });
  EXPECT_EQ(run.seal(), "items:\nI 1,a\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(SetAside, ARowWithoutARelationEndsTheRun) {
  FoldRun run({orders()});
  EXPECT_THROW(run.transaction([](StreamBuilder& to) { to.insert(kItems, {"1", "a"}); }), Error);
  RecordingSink sink;
  Batcher batcher({}, Lsn{1000}, {{orders(), true}}, sink);
  StreamBuilder records;
  records.begin(Lsn{1000}).insert(kOrders, {"1", "a"}).commit(Lsn{1100});
  EXPECT_THROW(batcher.consume(records.unit(UnitKind::Transaction)), Error);
}

}  // namespace
}  // namespace re_dms::set_aside_test
