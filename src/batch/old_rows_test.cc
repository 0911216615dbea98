// What rows that were there hold in a new column, where that matters and where it does not.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::old_rows_test {
namespace {

constexpr Oid kOrders = 100;
constexpr Oid kFile = 900;
constexpr Oid kOtherFile = 901;

TableSchema orders() {
  return text_table(kOrders, "orders", {"id", "a"});
}

TableSchema wider() {
  return text_table(kOrders, "orders", {"id", "a", "b"});
}

TableSchema in_file(TableSchema table, Oid file_node) {
  table.history.file_node = file_node;
  table.history.last_attnum = table.columns.back().attnum;
  return table;
}

/// The column comes with the table in another file, and no value is stored for older rows.
void widen(StreamBuilder& to) {
  to.catalog({{in_file(wider(), kOtherFile), true}}).relation(wider());
}

std::string reason_of(const SealedBatch& batch) {
  return batch.set_aside.size() == 1 ? batch.set_aside[0].reason : "nothing is set aside";
}

TEST(OldRows, ThereAreNoneBehindATruncate) {
  FoldRun run({in_file(orders(), kFile)});
  run.transaction([](StreamBuilder& to) { to.insert(kOrders, {"1", "a"}); });
  run.transaction([](StreamBuilder& to) {
    widen(to.truncate({kOrders}));
    to.insert(kOrders, {"2", "a", "b"});
  });
  run.seal();
  EXPECT_TRUE(run.last().set_aside.empty());
  EXPECT_EQ(describe_changes(run.last().layers), "orders: truncate\norders: +b\nI 2,a,b\n");
}

TEST(OldRows, ThereAreNoneWhereATruncateFollowsTheColumn) {
  FoldRun run({in_file(orders(), kFile)});
  run.transaction([](StreamBuilder& to) {
    widen(to);
    to.truncate({kOrders}).insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\norders: truncate\nI 2,a,b\n");
  EXPECT_TRUE(run.last().set_aside.empty());
}

TEST(OldRows, OneBehindTheTruncateIsOne) {
  FoldRun run({in_file(orders(), kFile)});
  run.transaction([](StreamBuilder& to) {
    widen(to.truncate({kOrders}).insert(kOrders, {"1", "a"}));
    to.insert(kOrders, {"2", "a", "b"});
  });
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("was rewritten"), std::string::npos);
}

TEST(OldRows, OneThatWasDeletedAgainIsOneInWhateverBatch) {
  for (const bool one_batch : {true, false}) {
    FoldRun run({in_file(orders(), kFile)});
    run.transaction([](StreamBuilder& to) { to.truncate({kOrders}).insert(kOrders, {"1", "a"}); });
    if (!one_batch) {
      run.seal();
    }
    run.transaction([](StreamBuilder& to) { to.erase(kOrders, {"1", kNull}); });
    run.transaction([](StreamBuilder& to) {
      widen(to);
      to.insert(kOrders, {"2", "a", "b"});
    });
    run.seal();
    EXPECT_NE(reason_of(run.last()).find("was rewritten"), std::string::npos);
  }
}

TEST(OldRows, ThereAreNoneInATableThatWasMadeAlsoBehindARestart) {
  FoldRun run({});
  StreamBuilder facts;
  run.feed(facts.catalog({{in_file(orders(), kFile), true}}), UnitKind::Facts);
  facts.clear();
  run.feed(facts.idle(Lsn{1050}), UnitKind::Idle);
  EXPECT_EQ(run.seal(), "orders: create\n");
  FoldRun after({*run.last().layers.at(0).table});
  after.transaction([](StreamBuilder& to) {
    widen(to);
    to.insert(kOrders, {"1", "a", "b"});
  });
  EXPECT_EQ(after.seal(), "orders: +b\nI 1,a,b\n");
  EXPECT_TRUE(after.last().set_aside.empty());
  // From its first row on it is not empty, and that is stored with the row.
  FoldRun later({*after.last().layers.at(0).table});
  TableSchema widest = text_table(kOrders, "orders", {"id", "a", "b", "c"});
  later.transaction([&](StreamBuilder& to) {
    to.catalog({{in_file(widest, kFile), true}}).relation(widest);
    to.insert(kOrders, {"2", "a", "b", "c"});
  });
  later.seal();
  EXPECT_NE(reason_of(later.last()).find("was rewritten"), std::string::npos);
}

TEST(OldRows, AnAbortedTruncateEmptiesNothing) {
  FoldRun run({in_file(orders(), kFile)});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) { to.truncate({kOrders}); });
  run.abort();
  run.transaction([](StreamBuilder& to) {
    widen(to);
    to.insert(kOrders, {"2", "a", "b"});
  });
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("was rewritten"), std::string::npos);
}

TEST(OldRows, TheNewestFileIsStoredForARestart) {
  FoldRun run({in_file(orders(), kFile)});
  StreamBuilder facts;
  run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
  facts.clear();
  run.feed(facts.catalog({{in_file(orders(), kOtherFile), true}}), UnitKind::Facts);
  facts.clear();
  run.feed(facts.idle(Lsn{1050}), UnitKind::Idle);
  EXPECT_EQ(run.seal(), "orders: store\n");
  FoldRun after({*run.last().layers.at(0).table});
  after.transaction([](StreamBuilder& to) {
    widen(to);
    to.insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(after.seal(), "orders: +b\nI 2,a,b\n");
}

TEST(OldRows, TheFileThatAnAbortedTransactionShowedCounts) {
  FoldRun run({in_file(orders(), kFile)});
  run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
    to.catalog({{in_file(orders(), kOtherFile), true}}).relation(orders());
    to.insert(kOrders, {"1", "a"});
  });
  run.abort();
  run.transaction([](StreamBuilder& to) {
    widen(to);
    to.insert(kOrders, {"2", "a", "b"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a,b\n");
}

TEST(OldRows, AColumnReplacedBeforeTheFirstRelationIsNoticed) {
  FoldRun run({});
  StreamBuilder facts;
  run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
  facts.clear();
  run.feed(facts.catalog({{orders(), true}}), UnitKind::Facts);
  TableSchema again = orders();
  again.columns[1].attnum = 3;
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{again, true}}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("dropped"), std::string::npos);
}

/// The table as it is when a column of the first shape was added, dropped and added again.
TableSchema of_two_lives() {
  TableSchema table = wider();
  table.columns[2].attnum = 4;
  table.history = {kFile, 4, 3};
  return table;
}

TEST(OldRows, NextRowsOfAnEmptyTableMayBeOfAColumnThatWasDroppedSince) {
  StreamBuilder facts;
  facts.catalog({{in_file(orders(), kFile), true}});
  // The table is met, or only what the catalog said of it is; the second answer comes with the
  // rows or, at a restart, before them.
  for (const bool before_rows : {false, true}) {
    for (const bool met : {true, false}) {
      FoldRun run({});
      StreamBuilder stream;
      if (met) {
        run.feed(stream.idle(Lsn{1001}), UnitKind::Idle);
      }
      run.feed(facts, UnitKind::Facts);
      stream.clear();
      if (before_rows) {
        run.feed(stream.catalog({{of_two_lives(), true}}), UnitKind::Facts);
      }
      run.transaction([&](StreamBuilder& to) {
        if (!before_rows) {
          to.catalog({{of_two_lives(), true}});
        }
        to.relation(wider()).insert(kOrders, {"1", "a", "6"});
      });
      run.seal();
      EXPECT_NE(reason_of(run.last()).find("another column was dropped"), std::string::npos)
          << reason_of(run.last()) << met << before_rows;
    }
  }
}

TEST(OldRows, AColumnOfAnEmptyTableThatWasThereAndIsDroppedCountsToo) {
  FoldRun run({});
  StreamBuilder stream;
  run.feed(stream.idle(Lsn{1001}), UnitKind::Idle);
  stream.clear();
  run.feed(stream.catalog({{in_file(wider(), kFile), true}}), UnitKind::Facts);
  // DROP a, a row, DROP b, ADD b, a row, in one transaction.
  TableSchema now = text_table(kOrders, "orders", {"id", "b"});
  now.columns[1].attnum = 4;
  now.history = {kFile, 4, 3};
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{now, true}}).relation(now).insert(kOrders, {"1", "6"});
  });
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("another column was dropped"), std::string::npos);
}

/// The columns of the first shape, when another came and went.
TableSchema came_and_went() {
  TableSchema table = orders();
  table.history = {kFile, 3, 3};
  return table;
}

/// With another key.
TableSchema by_a(TableSchema table) {
  table.identity = ReplicaIdentity::Index;
  table.columns[0].key = false;
  table.columns[1].key = true;
  return table;
}

TEST(OldRows, AnAnswerWithTheSameColumnsMayBeAheadOfAnotherKey) {
  FoldRun run({in_file(orders(), kFile)});
  const TableSchema rekeyed = by_a(came_and_went());
  const TableSchema now = by_a(of_two_lives());
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{rekeyed, true}}).relation(rekeyed).insert(kOrders, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "orders: store\nI 1,a\n");
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{now, true}}).relation(now).insert(kOrders, {"2", "a2", "6"});
  });
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("another column was dropped"), std::string::npos);
}

TEST(OldRows, AColumnThatCameAndWentLongAgoIsNoMatter) {
  // Who wrote to it committed before it was dropped, and that was before the answer.
  for (const std::uint64_t asked_at : {1050U, 5000U}) {
    FoldRun run({in_file(orders(), kFile)});
    StreamBuilder facts;
    run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
    facts.clear();
    TableSchema quiet = came_and_went();
    quiet.publication = Publishing{{1, 1}, {}};
    run.feed(facts.catalog({{quiet, true, Lsn{asked_at}}}), UnitKind::Facts);
    run.transaction([](StreamBuilder& to) {
      to.catalog({{of_two_lives(), true}}).relation(wider()).insert(kOrders, {"1", "a", "6"});
    });
    run.seal();
    EXPECT_EQ(run.last().set_aside.empty(), asked_at == 1050) << reason_of(run.last());
  }
}

TEST(OldRows, AColumnThatWentBeforeTheFirstAnswerIsNoMatterToAnotherKey) {
  FoldRun run({});
  StreamBuilder facts;
  run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
  facts.clear();
  run.feed(facts.catalog({{came_and_went(), true}}), UnitKind::Facts);
  run.transaction([](StreamBuilder& to) {
    to.catalog({{by_a(of_two_lives()), true}}).relation(by_a(orders()));
    to.insert(kOrders, {"1", "a"});
  });
  run.transaction([](StreamBuilder& to) {
    to.relation(by_a(of_two_lives())).insert(kOrders, {"2", "a2", "6"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\nI 2,a2,6\n");
}

TEST(OldRows, WhatTheTargetKnowsIsNewerThanAnswersPassedOver) {
  FoldRun run({came_and_went()});
  StreamBuilder facts;
  run.feed(facts.catalog({{in_file(orders(), kFile), true}}), UnitKind::Facts);
  run.transaction([](StreamBuilder& to) {
    to.catalog({{of_two_lives(), true}}).relation(wider()).insert(kOrders, {"1", "a", "6"});
  });
  EXPECT_EQ(run.seal(), "orders: +b\nI 1,a,6\n");
}

TEST(OldRows, RowsWithoutTheColumnOfTwoLivesAreTaken) {
  FoldRun run({});
  StreamBuilder stream;
  run.feed(stream.catalog({{in_file(orders(), kFile), true}}), UnitKind::Facts);
  run.transaction([&](StreamBuilder& to) {
    to.catalog({{of_two_lives(), true}}).relation(orders()).insert(kOrders, {"1", "a"});
  });
  EXPECT_EQ(run.seal(), "orders: create\nI 1,a\n");
}

TEST(OldRows, AColumnDroppedBeforeTheTableWasMetIsNoMatter) {
  const auto first_row = [](StreamBuilder& to) {
    to.catalog({{of_two_lives(), true}}).relation(wider()).insert(kOrders, {"1", "a", "6"});
  };
  for (const bool cut_off : {true, false}) {
    FoldRun run({});
    if (cut_off) {
      run.part(UnitKind::FirstPart, first_row);
      run.abort();
    }
    run.transaction(first_row);
    EXPECT_EQ(run.seal(), "orders: create\nI 1,a,6\n") << cut_off;
  }
}

TEST(OldRows, ATableThatWasDroppedIsSetAsideAndOneNeverMetIsNot) {
  FoldRun run({orders()});
  CatalogTable gone;
  gone.schema.oid = kOrders;
  gone.asked_at = Lsn{1050};
  CatalogTable never_met = gone;
  never_met.schema.oid = 101;
  StreamBuilder facts;
  run.feed(facts.idle(Lsn{1001}), UnitKind::Idle);
  facts.clear();
  run.feed(facts.catalog({gone, never_met}), UnitKind::Facts);
  facts.clear();
  run.feed(facts.idle(Lsn{1060}), UnitKind::Idle);
  run.seal();
  EXPECT_NE(reason_of(run.last()).find("was dropped"), std::string::npos);
}

}  // namespace
}  // namespace re_dms::old_rows_test
