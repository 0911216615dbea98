// Rows that change their keys: chains, swaps, cycles, keys of several columns.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::fold_keys_test {
namespace {

constexpr Oid kTable = 100;

TableSchema items() {
  return text_table(kTable, "items", {"id", "a", "big"});
}

StreamBuilder& move(StreamBuilder& to, const char* from, const char* key) {
  return to.update(kTable, {from, kNull, kNull}, {key, "a", kUnchanged});
}

template <typename F>
std::string folded(F fill) {
  FoldRun run({items()});
  run.transaction(fill);
  return run.seal();
}

TEST(FoldKeys, AChainKeepsItsOrigin) {
  EXPECT_EQ(folded([](StreamBuilder& to) { move(to, "1", "2"), move(to, "2", "3"); }),
            "items:\nU 1>3,a,~\n");
}

TEST(FoldKeys, AMoveThereAndBackIsAnUpdate) {
  EXPECT_EQ(folded([](StreamBuilder& to) { move(to, "1", "2"), move(to, "2", "1"); }),
            "items:\nU 1>1,a,~\n");
}

TEST(FoldKeys, ASwapNeedsOneLayer) {
  EXPECT_EQ(
      folded([](StreamBuilder& to) { move(to, "1", "9"), move(to, "2", "1"), move(to, "9", "2"); }),
      "items:\nU 1>2,a,~\nU 2>1,a,~\n");
}

TEST(FoldKeys, ACycleNeedsOneLayer) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              move(to, "3", "9"), move(to, "2", "3"), move(to, "1", "2"), move(to, "9", "1");
            }),
            "items:\nU 3>1,a,~\nU 2>3,a,~\nU 1>2,a,~\n");
}

TEST(FoldKeys, AKeyMayStandForADeletedRowAndForAnother) {
  // The example of a row that is deleted while another one takes its key.
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.erase(kTable, {"2", kNull, kNull});
              move(to, "1", "2");
              to.update(kTable, {"2", "b", kUnchanged});
              to.insert(kTable, {"1", "new", "new"});
            }),
            "items:\nD 2\nU 1>2,b,~\nI 1,new,new\n");
}

TEST(FoldKeys, ADeletedMovedRowFreesBothKeys) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              move(to, "1", "3").erase(kTable, {"3", kNull, kNull});
              to.insert(kTable, {"3", "c", "c"}).insert(kTable, {"1", "d", "d"});
            }),
            "items:\nR 1>1,d,d\nI 3,c,c\n");
  EXPECT_EQ(folded([](StreamBuilder& to) {
              move(to, "1", "3").insert(kTable, {"1", "d", "d"});
              to.erase(kTable, {"3", kNull, kNull}).erase(kTable, {"1", kNull, kNull});
              to.insert(kTable, {"1", "e", "e"});
            }),
            "items:\nD 1\nI 1,e,e\n");
}

TEST(FoldKeys, AnInsertedRowMovesWithoutATrace) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.insert(kTable, {"1", "a", "big"});
              move(to, "1", "2"), move(to, "2", "3");
              to.insert(kTable, {"1", "b", "b"});
            }),
            "items:\nI 3,a,big\nI 1,b,b\n");
}

TEST(FoldKeys, KeysAreEqualWhenTheirTextsAre) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              move(to, "1.0", "1.00");
              to.insert(kTable, {"1.0", "b", "b"});
            }),
            "items:\nU 1.0>1.00,a,~\nI 1.0,b,b\n");
}

TEST(FoldKeys, PartsOfACompositeKeyDoNotRunTogether) {
  FoldRun run({text_table(kTable, "pairs", {"x", "y", "v"}, 2)});
  run.transaction([](StreamBuilder& to) {
    to.insert(kTable, {"1", "11", "a"}).insert(kTable, {"11", "1", "b"});
    to.insert(kTable, {"", "111", "c"});
    to.update(kTable, {"2", "", kNull}, {"", "2", "d"});
  });
  EXPECT_EQ(run.seal(), "pairs:\nI 1,11,a\nI 11,1,b\nI ,111,c\nR 2|>,2,d\n");
}

TEST(FoldKeys, KeyColumnsNeedNotComeFirst) {
  TableSchema table = text_table(kTable, "late", {"v", "k", "w", "l"}, 0);
  table.columns[1].key = table.columns[3].key = true;
  FoldRun run({table});
  run.transaction([](StreamBuilder& to) {
    to.update(kTable, {kNull, "1", kNull, "2"}, {"a", "3", "b", "4"});
    to.erase(kTable, {kNull, "5", kNull, "6"});
  });
  EXPECT_EQ(run.seal(), "late:\nR 1|2>a,3,b,4\nD 5|6\n");
}

}  // namespace
}  // namespace re_dms::fold_keys_test
