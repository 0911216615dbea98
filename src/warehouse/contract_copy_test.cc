// Copies of tables: built beside them, put in their place, caught up with, and joined.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "warehouse/testing/copy_contract.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::contract_copy_test {

namespace {

TEST_P(CopyContract, IsBuiltBesideAndPutInPlaceWhole) {
  load({staged(LayerBuilder(items()).create().insert({"1", "old"}))});
  ask(Wish::Copy);
  EXPECT_EQ(state_of("items"), "waiting|somebody asked for it");
  load_copy({step(1, false, Lsn{5000}, {{"1", "new"}})});
  EXPECT_EQ(state_of("items"), "copying|somebody asked for it");
  EXPECT_EQ(rows(), (Rows{"1|old"})) << "readers see the table as it was";
  const LoadReport report = load_copy({step(2, true, Lsn{5000}, {{"2", "new"}})});
  EXPECT_EQ(report.rows, 1U);
  EXPECT_EQ(rows(), (Rows{"1|new", "2|new"}));
  EXPECT_EQ(state_of("items"), "catching up|NULL");
  EXPECT_EQ(position(), "0/1388");
}

TEST_P(CopyContract, APausedTableStaysAsItIsAndGoesOnThere) {
  load({staged(LayerBuilder(items()).create().insert({"1", "a"}))});
  const Lsn stood = loaded_;
  TargetTable table = ask(Wish::Pause);
  EXPECT_EQ(table.state, TableState::Paused);
  EXPECT_EQ(table.position, stood);
  EXPECT_EQ(ask(Wish::Pause).position, stood) << "it is paused already";
  const LoadReport report = load({staged(LayerBuilder(items()).insert({"2", "b"}))});
  EXPECT_EQ(report.rows, 0U);
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(rows(), (Rows{"1|a"}));
  warehouse_.reset();
  EXPECT_EQ(state_of("items"), "paused|somebody paused it");
  table = ask(Wish::Resume);
  EXPECT_EQ(table.state, TableState::CatchingUp);
  EXPECT_EQ(table.position, stood);
  EXPECT_EQ(table.schema.columns.size(), 2U);
  EXPECT_EQ(ask(Wish::Resume).state, TableState::CatchingUp);
  catch_up(stood, stood, loaded_, {staged(LayerBuilder(items()).insert({"2", "b"}))});
  EXPECT_EQ(join(loaded_).tables.size(), 1U);
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b"}));
  EXPECT_EQ(state_of("items"), "live|NULL");
  EXPECT_TRUE(taken().grant({{999, Wish::Pause}}, {}).empty()) << "never heard of";
}

TEST_P(CopyContract, ACopyThatIsPausedIsGivenUp) {
  meet();
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  EXPECT_FALSE(ask(Wish::Pause).position.known());
  EXPECT_EQ(select("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 're_dms_copy%'"),
            (Rows{"0"}));
  load_copy({step(2, true, Lsn{5000}, {{"2", "a"}})});
  EXPECT_EQ(state_of("items"), "paused|somebody paused it");
  EXPECT_EQ(ask(Wish::Resume).state, TableState::Waiting);
  load_copy({step(1, true, Lsn{6000}, {{"1", "b"}})});
  EXPECT_EQ(rows(), (Rows{"1|b"}));
}

TEST_P(CopyContract, WhatWasSetAsideGoesOnWhereItHoldsRows) {
  load({staged(LayerBuilder(items()).create().insert({"1", "a"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "a value", loaded_}});
  EXPECT_EQ(ask(Wish::Pause).state, TableState::SetAside) << "it waits for somebody already";
  EXPECT_EQ(ask(Wish::Resume).state, TableState::CatchingUp);
  ask(Wish::Copy);
  // A copy that a person has to look at holds nothing to go on with.
  load_copy({}, {{kCopiedOid, {"shop", "items"}, "a name", Lsn{7000}}});
  EXPECT_EQ(state_of("items"), "set aside|a name");
  EXPECT_EQ(ask(Wish::Resume).state, TableState::Waiting);
}

/// What the others hold says nothing of it: resumed, it would lack what lies between.
TEST_P(CopyContract, ATableThatCatchesUpIsSetAsideWhereItStands) {
  meet();
  load_copy({step(1, true, Lsn{5000}, {{"1", "a"}})});
  StagedBatch others = next_batch({staged(LayerBuilder(items(702, {"shop", "others"})).create())});
  others.span.to = Lsn{6000};
  taken().load(others, {});
  warehouse_.reset();
  target_->execute("CREATE INDEX theirs ON shop.items (a)");
  const TargetState state = open()->take_over(test_origin(), unknown_before(), {});
  const auto table = std::ranges::find(state.tables, kCopiedOid,
                                       [](const TargetTable& each) { return each.schema.oid; });
  ASSERT_NE(table, state.tables.end());
  EXPECT_EQ(table->state, TableState::SetAside);
  EXPECT_EQ(table->position, Lsn{5000});
}

TEST_P(CopyContract, WhatTheSourceDroppedStaysAndGoesOnNowhere) {
  load({staged(LayerBuilder(items()).create().insert({"1", "a"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "it was dropped", loaded_, Remedy::Nothing}});
  EXPECT_EQ(state_of("items"), "removed|it was dropped");
  EXPECT_EQ(ask(Wish::Resume).state, TableState::Removed);
  EXPECT_EQ(rows(), (Rows{"1|a"}));
}

TEST_P(CopyContract, EachStepIsTakenOnce) {
  meet();
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}}), step(2, false, Lsn{5000}, {{"2", "b"}})});
  EXPECT_EQ(select("SELECT count(*) FROM shop.re_dms_copy_701"), (Rows{"1"}))
      << "what begins with a step that it has, it has";
  load_copy({step(2, false, Lsn{5000}, {{"2", "b"}}), step(3, true, Lsn{5000}, {{"3", "c"}})});
  load_copy({step(2, false, Lsn{5000}, {{"2", "b"}}), step(3, true, Lsn{5000}, {{"3", "c"}})});
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b", "3|c"}));
}

TEST_P(CopyContract, ALaterCopyBeginsAnewAndAnEarlierOneIsOver) {
  meet();
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  load_copy({step(1, false, Lsn{6000}, {{"1", "b"}})});
  load_copy({step(2, true, Lsn{5000}, {{"2", "a"}})});
  EXPECT_EQ(state_of("items"), "copying|it is new");
  load_copy({step(2, true, Lsn{6000}, {})});
  EXPECT_EQ(rows(), (Rows{"1|b"}));
  load_copy({step(1, true, Lsn{5000}, {{"9", "a"}})});
  EXPECT_EQ(rows(), (Rows{"1|b"}));
  // One that catches up is copied anew when that is asked for, and not before.
  load_copy({step(1, true, Lsn{7000}, {{"1", "c"}})});
  EXPECT_EQ(rows(), (Rows{"1|b"}));
  ask(Wish::Copy);
  load_copy({step(1, true, Lsn{7000}, {{"1", "c"}})});
  EXPECT_EQ(rows(), (Rows{"1|c"}));
}

TEST_P(CopyContract, WhatIsPausedMeanwhileIsReportedAsNotLoaded) {
  const TablePtr other = items(702, {"shop", "others"});
  load({staged(LayerBuilder(items()).create().insert({"1", "a"})),
        staged(LayerBuilder(other).create().insert({"1", "a"}))});
  ask(Wish::Pause);
  const LoadReport report = load({staged(LayerBuilder(items()).insert({"2", "b"})),
                                  staged(LayerBuilder(other).insert({"2", "b"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.loaded, std::set<Oid>{702});
  EXPECT_EQ(report.rows, 1U);
  EXPECT_EQ(rows(), (Rows{"1|a"}));
}

TEST_P(CopyContract, CatchesUpWhereItStandsAndIsLiveWhenItJoins) {
  meet();
  load_copy({step(1, true, Lsn{5000}, {{"1", "a"}})});
  const auto more = [this] {
    return staged(LayerBuilder(items()).replace({"1"}, {"1", "b"}).insert({"2", "b"}));
  };
  LoadReport report = catch_up(Lsn{5000}, Lsn{4000}, Lsn{5500}, {more()});
  EXPECT_EQ(report.tables, (std::vector<TableAt>{{kCopiedOid, Lsn{5000}}}));
  EXPECT_EQ(rows(), (Rows{"1|b", "2|b"}));
  // The same again, whose answer was lost, and one of an earlier copy.
  EXPECT_EQ(catch_up(Lsn{5000}, Lsn{4000}, Lsn{5500}, {more()}).tables.size(), 1U);
  EXPECT_TRUE(catch_up(Lsn{4500}, Lsn{4500}, Lsn{9000}, {more()}).tables.empty());
  EXPECT_EQ(rows(), (Rows{"1|b", "2|b"}));
  EXPECT_EQ(position(), "0/157C");
  EXPECT_TRUE(catch_up(Lsn{5500}, Lsn{5500}, Lsn{5600}, {}).set_aside.empty());
  // Changes of live tables are none of its.
  load({staged(LayerBuilder(items()).insert({"3", "c"}))});
  EXPECT_EQ(rows(), (Rows{"1|b", "2|b"}));
  EXPECT_TRUE(join(Lsn{5500}).tables.empty()) << "it stands elsewhere";
  EXPECT_EQ(state_of("items"), "catching up|NULL");
  EXPECT_EQ(join(Lsn{5600}).tables, (std::vector<TableAt>{{kCopiedOid, Lsn{5600}}}));
  EXPECT_EQ(join(Lsn{5600}).tables.size(), 1U) << "the answer was lost";
  EXPECT_EQ(state_of("items"), "live|NULL");
  loaded_ = Lsn{1100};
  EXPECT_TRUE(catch_up(Lsn{5600}, Lsn{5600}, Lsn{9000}, {more()}).tables.empty());
}

TEST_P(CopyContract, WhatWasSaidOfATableBeforeItJoinedIsVoid) {
  meet();
  load_copy({step(1, true, Lsn{1200}, {{"1", "a"}})});
  EXPECT_EQ(join(Lsn{1200}).tables.size(), 1U);
  const auto altered = [](Lsn position) {
    return SetAside{kCopiedOid, {"shop", "items"}, "its type was altered", position, Remedy::Copy};
  };
  // Folded up to 1200 without the table, and staged for longer than its copy took.
  EXPECT_TRUE(load({}, {altered(Lsn{1100})}).set_aside.empty());
  EXPECT_EQ(state_of("items"), "live|NULL");
  EXPECT_EQ(load({}, {altered(Lsn{1200})}).set_aside.size(), 1U);
  EXPECT_EQ(state_of("items"), "waiting|its type was altered");
}

TEST_P(CopyContract, WhatIsSaidWhereATableJoinedIsSaidOfIt) {
  meet();
  load_copy({step(1, true, Lsn{1200}, {{"1", "a"}})});
  EXPECT_EQ(join(Lsn{1200}).tables.size(), 1U);
  // A restart folds again what was not loaded before the table joined.
  const SetAside altered{
      kCopiedOid, {"shop", "items"}, "its type was altered", Lsn{1200}, Remedy::Copy};
  EXPECT_EQ(load({}, {altered}).set_aside.size(), 1U);
  EXPECT_EQ(state_of("items"), "waiting|its type was altered");
}

TEST_P(CopyContract, ATableThatLacksChangesIsCopiedAnew) {
  meet();
  load_copy({step(1, true, Lsn{5000}, {{"1", "a"}})});
  const LoadReport report =
      catch_up(Lsn{5700}, Lsn{5700}, Lsn{5800}, {staged(LayerBuilder(items()).insert({"2", "b"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);
  EXPECT_TRUE(report.tables.empty());
  EXPECT_EQ(rows(), (Rows{"1|a"}));
  EXPECT_EQ(state_of("items"),
            "waiting|it is loaded up to 0/1388, but its changes are there from 0/1644 on");
}

TEST_P(CopyContract, WhatLeftIsToldOnlyWhereItDid) {
  meet();
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  // A fold that does not know of the copy yet.
  const LoadReport stale =
      load({}, {{kCopiedOid, {"shop", "items"}, "a column was renamed", loaded_, Remedy::Copy}});
  EXPECT_TRUE(stale.set_aside.empty());
  EXPECT_EQ(state_of("items"), "copying|it is new");
  const LoadReport refused = load_copy({}, {{kCopiedOid, {"shop", "items"}, "no rights", {}}});
  EXPECT_EQ(refused.set_aside.size(), 1U);
  EXPECT_EQ(state_of("items"), "set aside|no rights");
  EXPECT_EQ(select("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE "
                   "'re_dms_copy%'"),
            (Rows{"0"}));
  EXPECT_EQ(load_copy({}, {{kCopiedOid, {"shop", "items"}, "no rights", {}}}).set_aside.size(), 1U)
      << "the answer may have been lost";
  load_copy({step(2, true, Lsn{5000}, {{"2", "b"}})});
  EXPECT_EQ(state_of("items"), "set aside|no rights");
}

TEST_P(CopyContract, AValueThatTheTargetCannotHoldStopsItsTableAlone) {
  meet();
  const TablePtr good = items(702, {"shop", "good"});
  meet(good);
  const TablePtr dates =
      make_table(kCopiedOid, {"shop", "items"},
                 {key_column("id", bigint_type()), column("d", type_of(1082, "date"))});
  const LoadReport report = load_copy({step(1, true, Lsn{5000}, {{"1", "9999999-01-01"}}, dates),
                                       step(1, true, Lsn{5000}, {{"1", "a"}}, good)});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Person);
  EXPECT_EQ(select("SELECT * FROM shop.good"), (Rows{"1|a"}));
  EXPECT_EQ(state_of("good"), "catching up|NULL");
}

TEST_P(CopyContract, ATableThatMovedToAnotherSchemaMovesThereToo) {
  load({staged(LayerBuilder(items()).create().insert({"1", "old"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "renamed", loaded_, Remedy::Copy}});
  load_copy({step(1, true, Lsn{5000}, {{"1", "new"}}, items(kCopiedOid, {"archive", "items"}))});
  EXPECT_EQ(select("SELECT * FROM archive.items"), (Rows{"1|new"}));
  EXPECT_EQ(select("SELECT count(*) FROM information_schema.tables WHERE table_name = 'items'"),
            (Rows{"1"}));
  warehouse_.reset();
  EXPECT_EQ(taken().take_over(test_origin(), unknown_before(), {}).tables.at(0).state,
            TableState::CatchingUp);
}

/// In the schema in which it was begun, whatever the table is called by then.
TEST_P(CopyContract, HalfACopyGoesFromWhereItWasBegun) {
  const auto copies = [this] {
    return select("SELECT schema_name FROM duckdb_tables() WHERE table_name LIKE 're_dms_copy%'");
  };
  const TablePtr moved = items(kCopiedOid, {"archive", "items"});
  load({staged(LayerBuilder(items()).create().insert({"1", "old"}))});
  ask(Wish::Copy);
  load_copy({step(1, false, Lsn{5000}, {{"1", "new"}}, moved)});
  EXPECT_EQ(copies(), (Rows{"archive"}));
  warehouse_.reset();
  ask(Wish::Pause);
  EXPECT_TRUE(copies().empty()) << "paused";

  ask(Wish::Resume);
  load_copy({step(1, false, Lsn{6000}, {{"1", "new"}})});
  load_copy({}, {{kCopiedOid, moved->name, "a value", {}}});
  EXPECT_TRUE(copies().empty()) << "set aside";

  ask(Wish::Resume);
  load_copy({step(1, false, Lsn{7000}, {{"1", "new"}})});
  warehouse_.reset();
  load_copy({step(1, false, Lsn{8000}, {{"1", "new"}}, moved)});
  EXPECT_EQ(copies(), (Rows{"archive"})) << "begun anew";
  load_copy({step(2, true, Lsn{8000}, {{"2", "new"}}, moved)});
  EXPECT_EQ(select("SELECT * FROM archive.items"), (Rows{"1|new", "2|new"}));
  EXPECT_TRUE(copies().empty());
}

/// Whoever goes on begins it anew, or not, and it takes room until then.
TEST_P(CopyContract, HalfACopyOfAnEarlierDaemonGoesAtTheStart) {
  load({staged(LayerBuilder(items()).create().insert({"1", "old"}))});
  load({}, {{kCopiedOid, {"shop", "items"}, "a column was renamed", loaded_, Remedy::Copy}});
  load_copy({step(1, false, Lsn{5000}, {{"1", "new"}})});
  EXPECT_EQ(state_of("items"), "copying|a column was renamed");
  warehouse_ = open();
  const TargetTable table = warehouse_->take_over(test_origin(), unknown_before(), {}).tables.at(0);
  EXPECT_EQ(table.state, TableState::Waiting);
  EXPECT_FALSE(table.position.known());
  EXPECT_EQ(state_of("items"), "waiting|a column was renamed");
  EXPECT_EQ(select("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 're_dms_copy%'"),
            (Rows{"0"}));
  load_copy({step(2, true, Lsn{5000}, {{"2", "new"}})});
  EXPECT_EQ(rows(), (Rows{"1|old"})) << "that was of the copy that went";
  load_copy({step(1, true, Lsn{6000}, {{"3", "new"}})});
  EXPECT_EQ(rows(), (Rows{"3|new"}));
}

TEST_P(CopyContract, WhatStandsInPlaceOfHalfACopyStopsNoStart) {
  load({staged(LayerBuilder(items()).create().insert({"1", "old"}))});
  ask(Wish::Copy);
  load_copy({step(1, false, Lsn{5000}, {{"1", "new"}})});
  const std::string copy = fmt::format("shop.re_dms_copy_{}", kCopiedOid);
  warehouse_.reset();
  target_->execute("DROP TABLE " + copy);
  target_->execute("CREATE VIEW " + copy + " AS SELECT 1 AS theirs");
  warehouse_ = open();
  EXPECT_EQ(warehouse_->take_over(test_origin(), unknown_before(), {}).tables.at(0).state,
            TableState::Waiting);
  const LoadReport report = load_copy({step(1, true, Lsn{5000}, {{"1", "new"}})});
  EXPECT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(rows(), (Rows{"1|old"}));
  EXPECT_EQ(select("FROM " + copy), (Rows{"1"}));
}

/// As the daemon says it; what the configuration says at the next start counts from then on.
TEST_P(CopyContract, ATableInDoubtThatWaitsForAPersonIsShownAsSetAside) {
  bool holds_back = true;
  const auto start = [&] {
    WarehouseSettings settings = target_->settings();
    settings.holds_back = [&](const QualifiedName& table) {
      return holds_back && table.name == "items";
    };
    warehouse_ = open_warehouse(settings, clock_);
    const TargetState state = warehouse_->take_over(test_origin(), unknown_before(), {});
    return state.tables.empty() ? TableState::Removed : state.tables.at(0).state;
  };
  start();
  load({staged(LayerBuilder(items()).create().insert({"1", "a"}))},
       {{702, {"shop", "fresh"}, "it is new", loaded_, Remedy::Copy}});
  load({}, {{kCopiedOid, {"shop", "items"}, "renamed", loaded_, Remedy::Copy}});
  EXPECT_EQ(state_of("fresh"), "waiting|it is new") << "it holds nothing to doubt";
  EXPECT_EQ(state_of("items"), "set aside|renamed");
  EXPECT_EQ(start(), TableState::Waiting) << "for its owner, who decides";
  EXPECT_EQ(state_of("items"), "set aside|renamed");
  holds_back = false;
  EXPECT_EQ(start(), TableState::Waiting);
  EXPECT_EQ(state_of("items"), "waiting|renamed");
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  EXPECT_EQ(state_of("items"), "copying|renamed");
  holds_back = true;
  EXPECT_EQ(start(), TableState::Waiting);
  EXPECT_EQ(state_of("items"), "set aside|renamed");
  ask(Wish::Copy);
  EXPECT_EQ(state_of("items"), "waiting|renamed") << "a person has said so";
  start();
  EXPECT_EQ(state_of("items"), "waiting|renamed");
  load_copy({step(1, true, Lsn{6000}, {{"1", "a"}})});
  EXPECT_EQ(state_of("items"), "catching up|NULL");
  ask(Wish::Heal);
  EXPECT_EQ(state_of("items"), "set aside|its changes are not in the journal any more");
}

/// Until it is there, whatever comes in between; a doubt of later is another matter.
TEST_P(CopyContract, ACopyThatSomebodyAskedForStaysAskedFor) {
  const auto asked = [this] {
    warehouse_.reset();
    return open()->take_over(test_origin(), unknown_before(), {}).tables.at(0).asked;
  };
  const auto doubted = [this] {
    load({}, {{kCopiedOid, {"shop", "items"}, "a column was renamed", loaded_, Remedy::Copy}});
  };
  load({staged(LayerBuilder(items()).create().insert({"1", "a"}))});
  doubted();
  EXPECT_FALSE(asked());
  ask(Wish::Copy);
  EXPECT_TRUE(asked()) << "it waits already";
  load_copy({step(1, false, Lsn{5000}, {{"1", "a"}})});
  load_copy({}, {{kCopiedOid, {"shop", "items"}, "it was altered", {}, Remedy::Copy}});
  EXPECT_TRUE(asked());
  load_copy({step(1, true, Lsn{6000}, {{"1", "a"}})});
  EXPECT_FALSE(asked());
  EXPECT_EQ(ask(Wish::Heal).state, TableState::Waiting);
  EXPECT_FALSE(asked());
  ask(Wish::Pause);
  ask(Wish::Resume);
  EXPECT_TRUE(asked()) << "it has no rows to go on with";
  ask(Wish::Pause);
  EXPECT_FALSE(asked());
}

INSTANTIATE_TEST_SUITE_P(DuckDb, CopyContract, ::testing::Values(&make_duckdb_target));

}  // namespace
}  // namespace re_dms::testing::contract_copy_test
