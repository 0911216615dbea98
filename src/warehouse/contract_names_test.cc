// Names of tables that the source gives to others, as every engine follows them.
#include <set>

#include "warehouse/testing/copy_contract.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::contract_names_test {

namespace {

/// Of two tables, one of which is copied.
class NamesContract : public CopyContract {};

TEST_P(NamesContract, ANameThatTheSourceGaveAwayIsTakenOver) {
  load({staged(LayerBuilder(items()).create().insert({"1", "dropped"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "it was dropped", loaded_}});
  const TablePtr anew = items(702);
  load({}, {{702, {"shop", "items"}, "it is new", loaded_, Remedy::Copy}});
  EXPECT_TRUE(load_copy({step(1, true, Lsn{5000}, {{"1", "anew"}}, anew)}).set_aside.empty());
  EXPECT_EQ(rows(), (Rows{"1|anew"}));
}

TEST_P(NamesContract, ANameIsTakenOverFromATableThatStayedBehind) {
  load({staged(LayerBuilder(items()).create().insert({"1", "followed"}))});
  load({}, {{702, {"shop", "items"}, "it is new", loaded_, Remedy::Copy}});
  const LoadReport report = load_copy({step(1, true, Lsn{5000}, {{"1", "anew"}}, items(702))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, kCopiedOid);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);
  EXPECT_EQ(rows(), (Rows{"1|anew"}));
  // Under the name that it has now.
  load({staged(LayerBuilder(items()).insert({"2", "followed"}))});
  load_copy({step(1, true, Lsn{6000}, {{"1", "renamed"}}, items(kCopiedOid, {"shop", "others"}))});
  EXPECT_EQ(select("SELECT * FROM shop.others"), (Rows{"1|renamed"}));
  EXPECT_EQ(rows(), (Rows{"1|anew"}));
}

TEST_P(NamesContract, APausedTableWhoseNameWasTakenOverIsCopied) {
  load({staged(LayerBuilder(items()).create().insert({"1", "paused"}))});
  EXPECT_EQ(ask(Wish::Pause).position, loaded_);
  load({}, {{702, {"shop", "items"}, "it is new", loaded_, Remedy::Copy}});
  load_copy({step(1, true, Lsn{5000}, {{"1", "anew"}}, items(702))});
  EXPECT_EQ(rows(), (Rows{"1|anew"}));
  EXPECT_EQ(select("SELECT count(*) FROM re_dms_internal.tables WHERE state = 'paused' AND "
                   "position = 0"),
            (Rows{"1"}))
      << "it holds nothing";
  EXPECT_EQ(ask(Wish::Resume).state, TableState::Waiting);
}

TEST_P(NamesContract, TwoTablesChangeNamesInOneBatch) {
  const TablePtr others = items(702, {"shop", "others"});
  load({staged(LayerBuilder(items()).create().insert({"1", "old"})),
        staged(LayerBuilder(others).create().insert({"2", "old"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "renamed", loaded_, Remedy::Copy},
            {702, {"shop", "others"}, "renamed", loaded_, Remedy::Copy}});
  const LoadReport report =
      load_copy({step(1, true, Lsn{5000}, {{"1", "new"}}, items(kCopiedOid, {"shop", "others"})),
                 step(1, true, Lsn{5000}, {{"2", "new"}}, items(702))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(rows(), (Rows{"2|new"}));
  EXPECT_EQ(select("SELECT * FROM shop.others"), (Rows{"1|new"}));
}

/// Each table gets a transaction of its own, as where memory is short.
TEST_P(NamesContract, TwoTablesChangeNamesInTransactionsOfTheirOwn) {
  const TablePtr others = items(702, {"shop", "others"});
  load({staged(LayerBuilder(items()).create().insert({"1", "old"})),
        staged(LayerBuilder(others).create().insert({"2", "old"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "renamed", loaded_, Remedy::Copy},
            {702, {"shop", "others"}, "renamed", loaded_, Remedy::Copy}});
  load_one_by_one();
  const LoadReport report =
      load_copy({step(1, true, Lsn{5000}, {{"1", "new"}}, items(kCopiedOid, {"shop", "others"})),
                 step(1, true, Lsn{5000}, {{"2", "new"}}, items(702))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.loaded, (std::set<Oid>{kCopiedOid, 702}));
  EXPECT_EQ(rows(), (Rows{"2|new"}));
  EXPECT_EQ(select("SELECT * FROM shop.others"), (Rows{"1|new"}));
}

TEST_P(NamesContract, ATableThatIsBeingCopiedLosesOnlyItsEarlierName) {
  const TablePtr others = items(702, {"shop", "others"});
  load({staged(LayerBuilder(items()).create().insert({"1", "old"})),
        staged(LayerBuilder(others).create().insert({"2", "old"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "renamed", loaded_, Remedy::Copy},
            {702, {"shop", "others"}, "renamed", loaded_, Remedy::Copy}});
  load_copy({step(1, false, Lsn{5000}, {{"2", "new"}}, items(702))});
  load_copy({step(1, true, Lsn{5000}, {{"1", "new"}}, items(kCopiedOid, {"shop", "others"}))});
  const LoadReport report = load_copy({step(2, true, Lsn{5000}, {{"3", "new"}}, items(702))});
  EXPECT_EQ(report.loaded, std::set<Oid>{702});
  EXPECT_EQ(rows(), (Rows{"2|new", "3|new"}));
}

/// A daemon that ends between two transactions of the batch leaves no table that is live and has
/// no rows: its next changes would go into the table that has its name.
TEST_P(NamesContract, ATableLeavesInTheTransactionThatGivesItsNameAway) {
  load({staged(LayerBuilder(items()).create().insert({"1", "followed"}))});
  meet(items(702));
  meet(items(703, {"shop", "more"}));
  load_one_by_one();
  ends_behind_commit_ = true;
  const std::vector<StagedLayer> copies = {
      step(1, true, Lsn{5000}, {{"1", "anew"}}, items(702)),
      step(1, true, Lsn{5000}, {{"1", "more"}}, items(703, {"shop", "more"}))};
  EXPECT_THROW(load_copy(copies), Error);
  const std::string state = "SELECT source_oid, state, reason FROM re_dms.tables ORDER BY 1";
  const Rows wanted = {"701|waiting|its name is another table's now", "702|catching up|NULL",
                       "703|waiting|it is new"};
  EXPECT_EQ(select(state), wanted);
  // The next try tells of it too: whoever reads changes of the table has not heard.
  ends_behind_commit_ = false;
  --copies_;
  const LoadReport report = load_copy(copies);
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, kCopiedOid);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);
  EXPECT_EQ(report.loaded, (std::set<Oid>{702, 703}));
  warehouse_.reset();
  load({staged(LayerBuilder(items()).insert({"2", "followed"}))});
  EXPECT_EQ(rows(), (Rows{"1|anew"}));
  load_copy({step(1, true, Lsn{6000}, {{"1", "renamed"}}, items(kCopiedOid, {"shop", "others"}))});
  EXPECT_EQ(select("SELECT * FROM shop.others"), (Rows{"1|renamed"}));
}

TEST_P(NamesContract, ANameThatIsNotTakenOverInTheEndStaysItsTables) {
  load({staged(LayerBuilder(items()).create().insert({"1", "followed"}))});
  meet(items(702));
  load_one_by_one();
  refused_ = "ALTER TABLE";
  const LoadReport report = load_copy({step(1, true, Lsn{5000}, {{"1", "anew"}}, items(702))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, 702U);
  EXPECT_EQ(rows(), (Rows{"1|followed"}));
  load({staged(LayerBuilder(items()).insert({"2", "followed"}))});
  EXPECT_EQ(rows(), (Rows{"1|followed", "2|followed"}));
}

TEST_P(NamesContract, ATableOfSomebodyElseStays) {
  meet();
  target_->execute("CREATE SCHEMA shop");
  target_->execute("CREATE TABLE shop.items (theirs INTEGER)");
  const LoadReport report = load_copy({step(1, true, Lsn{5000}, {{"1", "a"}})});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(select("SELECT count(*) FROM shop.items"), (Rows{"0"}));
}

INSTANTIATE_TEST_SUITE_P(DuckDb, NamesContract, ::testing::Values(&make_duckdb_target));

}  // namespace
}  // namespace re_dms::testing::contract_names_test
