// REPLICA IDENTITY FULL with a primary key: from where on rows are told apart by it.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::full_identity_test {
namespace {

constexpr Oid kTable = 100;
constexpr Oid kIndex = 900;

TableSchema items() {
  TableSchema table = text_table(kTable, "items", {"id", "a", "big"}, 0);
  table.identity = ReplicaIdentity::Full;
  table.publication = Publishing{{16000, 700}, {}};
  return table;
}

CatalogTable answer(Lsn asked_at, Oid index) {
  CatalogTable table{items(), true, asked_at, {}};
  if (index != 0) {
    table.primary_key = PrimaryKey{index, {1}};
  }
  return table;
}

StreamBuilder& change(StreamBuilder& to, const Cells& old, const Cells& row) {
  return to.message(update_message(kTable, old, row, 'O'));
}

StreamBuilder& erase(StreamBuilder& to, const Cells& old) {
  return to.message(delete_message(kTable, old, 'O'));
}

/// A run whose catalog was asked at `asked_at` and found the primary key.
class KeyedRun : public FoldRun {
 public:
  explicit KeyedRun(Lsn asked_at) : FoldRun({items()}) {
    // Answers before the position where reading starts do not count.
    StreamBuilder idle;
    feed(idle.idle(kFrom), UnitKind::Idle);
    StreamBuilder facts;
    facts.catalog({answer(asked_at, kIndex)}).relation_in_force(items());
    feed(facts, UnitKind::Facts);
  }
};

TEST(FullIdentity, RowsFoldByThePrimaryKeyThatWasThereBefore) {
  KeyedRun run(Lsn{1000});
  run.transaction([](StreamBuilder& to) {
    change(to, {"1", "a", "T"}, {"1", "b", kUnchanged});
    change(to, {"1", "b", "T"}, {"2", "c", kUnchanged});
    erase(to, {"3", "a", kNull}).insert(kTable, {"3", "x", kNull});
    erase(to, {"4", kNull, kNull});
    to.insert(kTable, {"5", "a", "T"});
    change(to, {"5", "a", "T"}, {"5", "b", kUnchanged});
  });
  EXPECT_EQ(run.seal(), "items: store\nR 1>2,c,T\nR 3>3,x,NULL\nD 4\nI 5,b,T\n");
}

TEST(FullIdentity, RowsBeforeTheAnswerFoldAsAMultiset) {
  // The key may be younger than these rows: in them there may be equal ones.
  KeyedRun run(Lsn{1200});
  run.transaction([](StreamBuilder& to) {
    to.insert(kTable, {"1", "a", kNull}).insert(kTable, {"1", "a", kNull});
    erase(to, {"1", "a", kNull});
  });
  run.transaction([](StreamBuilder& to) { change(to, {"1", "a", kNull}, {"1", "b", kNull}); });
  // Commits at 1290. No Relation comes: nothing changed in the source.
  run.transaction([](StreamBuilder& to) { change(to, {"1", "b", kNull}, {"1", "c", kNull}); });
  EXPECT_EQ(run.seal(), "items: store\nI 1,b,NULL\nitems: store\nR 1>1,c,NULL\n");
}

TEST(FullIdentity, WithoutTheKeyRowsAreAMultisetAgain) {
  KeyedRun run(Lsn{1000});
  run.transaction([](StreamBuilder& to) { to.insert(kTable, {"1", "a", kNull}); });
  run.transaction([](StreamBuilder& to) {
    to.catalog({answer(Lsn{1200}, 0)}).relation(items());
    to.insert(kTable, {"1", "a", kNull}).insert(kTable, {"1", "a", kNull});
  });
  EXPECT_EQ(run.seal(), "items: store\nI 1,a,NULL\nitems: store\nI 1,a,NULL x2\n");
}

TEST(FullIdentity, AnotherPrimaryKeyCountsFromItsOwnAnswer) {
  KeyedRun run(Lsn{1000});
  run.transaction([](StreamBuilder& to) {
    // Dropped and added again: between the two there was none.
    to.catalog({answer(Lsn{1150}, kIndex + 1)}).relation(items());
    to.insert(kTable, {"1", "a", kNull}).insert(kTable, {"1", "a", kNull});
    erase(to, {"1", "a", kNull});
  });
  run.transaction([](StreamBuilder& to) {
    // The same key as before: known since the first answer that named it.
    to.catalog({answer(Lsn{5000}, kIndex + 1)}).relation(items());
    change(to, {"1", "a", kNull}, {"1", "b", kNull});
  });
  EXPECT_EQ(run.seal(), "items: store\nitems: store\nI 1,a,NULL\nitems: store\nR 1>1,b,NULL\n");
}

TEST(FullIdentity, AnAbortedTransactionTakesTheKeyBack) {
  KeyedRun run(Lsn{1050});
  run.transaction([](StreamBuilder& to) { to.insert(kTable, {"1", "a", kNull}); });
  run.batcher.seal();
  for (const UnitKind last : {UnitKind::Abort, UnitKind::LastPart}) {
    run.part(UnitKind::FirstPart, [](StreamBuilder& to) {
      change(to, {"1", "a", kNull}, {"1", "b", kNull});
    });
    if (last == UnitKind::Abort) {
      run.abort();
    } else {
      run.part(last, [](StreamBuilder&) {});
    }
  }
  EXPECT_EQ(run.seal(), "items:\nR 1>1,b,NULL\n");
}

}  // namespace
}  // namespace re_dms::full_identity_test
