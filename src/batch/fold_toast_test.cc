// Columns that were not sent because they are TOASTed and did not change.

#include <gtest/gtest.h>

#include "batch/testing/fold_run.h"

namespace re_dms::fold_toast_test {
namespace {

constexpr Oid kTable = 100;

TableSchema docs() {
  return text_table(kTable, "docs", {"id", "a", "b", "c"});
}

template <typename F>
std::string folded(F fill) {
  FoldRun run({docs()});
  run.transaction(fill);
  return run.seal();
}

TEST(FoldToast, EverySubsetOfUnchangedColumnsStaysAsItCame) {
  for (unsigned mask = 0; mask < 8; ++mask) {
    Cells row{"1"};
    std::string text = "1";
    for (unsigned column = 0; column < 3; ++column) {
      const bool unchanged = (mask >> column & 1U) != 0;
      row.push_back(unchanged ? kUnchanged : Cell("v"));
      text += unchanged ? ",~" : ",v";
    }
    EXPECT_EQ(folded([&](StreamBuilder& to) { to.update(kTable, row); }),
              std::string("docs:\n") + (mask == 0 ? "R" : "U") + " 1>" + text + "\n");
  }
}

TEST(FoldToast, TwoMaskedUpdatesKeepWhatEitherKnows) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.update(kTable, {"1", "x", kUnchanged, kUnchanged});
              to.update(kTable, {"1", kUnchanged, "y", kUnchanged});
            }),
            "docs:\nU 1>1,x,y,~\n");
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.update(kTable, {"1", "x", kUnchanged, kNull});
              to.update(kTable, {"1", kUnchanged, "y", kUnchanged});
            }),
            "docs:\nR 1>1,x,y,NULL\n");
}

TEST(FoldToast, TheLaterValueWins) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.insert(kTable, {"1", "x", "y", "z"});
              to.update(kTable, {"1", kUnchanged, kNull, "z2"});
              to.update(kTable, {"1", "x2", kUnchanged, kUnchanged});
            }),
            "docs:\nI 1,x2,NULL,z2\n");
}

TEST(FoldToast, ALargeValueSurvivesUpdatesOfOtherColumns) {
  const std::string large(300'000, 'v');
  FoldRun run({docs()});
  run.transaction([&](StreamBuilder& to) {
    to.insert(kTable, {"1", Cell(large), "y", "z"});
    for (int i = 0; i < 100; ++i) {
      to.update(kTable, {"1", kUnchanged, Cell(std::to_string(i)), "z"});
    }
  });
  EXPECT_EQ(run.seal(), "docs:\nI 1," + large + ",99,z\n");
}

TEST(FoldToast, AMovedRowTakesItsValuesAlong) {
  EXPECT_EQ(folded([](StreamBuilder& to) {
              to.update(kTable, {"1", "x", kUnchanged, kUnchanged});
              to.update(kTable, {"1", kNull, kNull, kNull}, {"2", kUnchanged, "y", kUnchanged});
            }),
            "docs:\nU 1>2,x,y,~\n");
}

TEST(FoldToast, AnUnchangedKeyColumnIsTakenFromTheOldKey) {
  FoldRun run({text_table(kTable, "pairs", {"x", "y", "v"}, 2)});
  run.transaction([](StreamBuilder& to) {
    // The key did not change; its old value is sent because it is TOASTed.
    to.update(kTable, {"long", "1", kNull}, {kUnchanged, "1", "a"});
    // Only the other half changed.
    to.update(kTable, {"long", "2", kNull}, {kUnchanged, "3", kUnchanged});
  });
  EXPECT_EQ(run.seal(), "pairs:\nR long|1>long,1,a\nU long|2>long,3,~\n");
}

}  // namespace
}  // namespace re_dms::fold_toast_test
