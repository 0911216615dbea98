#include "tables/table_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace re_dms::table_states_test {
namespace {

/// Moves only when told to.
class StillClock final : public Clock {
 public:
  SystemTime now() const override { return {}; }

  SteadyTime steady() const override { return steady_; }

  void advance(std::chrono::milliseconds by) { steady_ += by; }

 private:
  SteadyTime steady_{};
};

using Wishes = std::vector<std::pair<Oid, Wish>>;

class TableStatesTest : public ::testing::Test {
 protected:
  static SetAside left(Oid oid, Remedy remedy) {
    return {oid, {"public", "t" + std::to_string(oid)}, "because", Lsn{500}, remedy};
  }

  static TablePtr schema(Oid oid) {
    TableSchema table;
    table.columns.emplace_back();
    table.oid = oid;
    table.name = {"public", "t" + std::to_string(oid)};
    return std::make_shared<const TableSchema>(table);
  }

  /// As the target has it.
  static TableRecord as(Oid oid, TableState state, Lsn position = {}) {
    TableRecord table;
    table.oid = oid;
    table.name = {"public", "t" + std::to_string(oid)};
    table.state = state;
    table.position = position;
    table.schema = schema(oid);
    return table;
  }

  StillClock clock_;
  TableStates tables_{
      clock_,
      {RetryPolicy{std::chrono::milliseconds(10), std::chrono::milliseconds(30), 2.0},
       RetryPolicy{std::chrono::milliseconds(100), std::chrono::milliseconds(300), 2.0}}};
};

TEST_F(TableStatesTest, ATablesWayFromItsFirstSightToLive) {
  tables_.leave(left(1, Remedy::Copy));
  EXPECT_EQ(tables_.state(1), TableState::Waiting);
  EXPECT_FALSE(tables_.settled());
  ASSERT_EQ(tables_.wait_for_copies({}).due.size(), 1U);
  tables_.begin_copy({1}, Lsn{1000});
  EXPECT_EQ(tables_.held_from(), Lsn{1000});
  tables_.estimate(1, 20, 8192);
  tables_.copied_some(1, Lsn{1000}, 7, 100);
  tables_.copied_some(1, Lsn{900}, 70, 1000);
  EXPECT_EQ(tables_.all().at(0).copy.rows, 7U) << "not what came late of an earlier copy";
  EXPECT_EQ(tables_.all().at(0).copy.rows_estimated, 20U);
  tables_.copied(schema(1), Lsn{1200});
  EXPECT_EQ(tables_.held_from(), Lsn{1200});
  const std::vector<TableRecord> lagging = tables_.wait_for_lagging({});
  ASSERT_EQ(lagging.size(), 1U);
  EXPECT_EQ(lagging[0].position, Lsn{1200});
  EXPECT_EQ(lagging[0].schema->oid, 1U);
  tables_.caught_up_to({{1, Lsn{1100}}}, Lsn{1250});
  EXPECT_EQ(tables_.held_from(), Lsn{1200}) << "it was of an earlier copy";
  tables_.caught_up_to({{1, Lsn{1200}}}, Lsn{1300});
  EXPECT_EQ(tables_.held_from(), Lsn{1300});
  EXPECT_FALSE(tables_.settled());
  tables_.joined({{1, Lsn{1200}}});
  EXPECT_EQ(tables_.state(1), TableState::CatchingUp) << "it stands elsewhere";
  tables_.joined({{1, Lsn{1300}}});
  EXPECT_EQ(tables_.take_joined(), std::vector<Oid>{1});
  EXPECT_EQ(tables_.state(1), TableState::Live);
  EXPECT_TRUE(tables_.settled());
  EXPECT_FALSE(tables_.held_from().known());
}

TEST_F(TableStatesTest, WhatAPersonHasToDecideIsNotWaitedFor) {
  tables_.leave(left(1, Remedy::Person));
  EXPECT_TRUE(tables_.settled());
  EXPECT_TRUE(tables_.any_set_aside());
  tables_.close();
  EXPECT_TRUE(tables_.wait_for_copies({}).empty());
  EXPECT_TRUE(tables_.wait_for_lagging({}).empty());
}

TEST_F(TableStatesTest, ACopyThatFailsAgainAndAgainIsNotWaitedForAndNotWell) {
  tables_.leave(left(1, Remedy::Copy));
  for (int tries = 1; tries <= 8; ++tries) {
    EXPECT_FALSE(tables_.settled()) << tries;
    EXPECT_FALSE(tables_.any_set_aside()) << tries;
    tables_.begin_copy({1}, Lsn{1000});
    tables_.copy_failed(1, "the source is away");
  }
  EXPECT_TRUE(tables_.settled());
  EXPECT_TRUE(tables_.any_set_aside());
}

TEST_F(TableStatesTest, ACopyThatFailsIsTriedAgainAfterGrowingPauses) {
  tables_.leave(left(1, Remedy::Copy));
  const auto is_due = [&] {
    std::stop_source stop;
    CopyWork due;
    std::jthread waiting([&] { due = tables_.wait_for_copies(stop.get_token()); });
    if (tables_.all().at(0).due > clock_.steady()) {
      stop.request_stop();
    }
    waiting.join();
    return !due.empty();
  };
  for (const int pause : {10, 20, 30, 30}) {
    ASSERT_TRUE(is_due());
    tables_.begin_copy({1}, Lsn{1000});
    tables_.copy_failed(1, "the source is away");
    EXPECT_EQ(tables_.all().at(0).reason, "the source is away");
    clock_.advance(std::chrono::milliseconds(pause - 1));
    EXPECT_FALSE(is_due());
    clock_.advance(std::chrono::milliseconds(1));
  }
}

TEST_F(TableStatesTest, ACopyThatTheTargetDoesNotTakeIsTriedAgainAfterGrowingPauses) {
  tables_.leave(left(1, Remedy::Copy));
  std::chrono::milliseconds before{0};
  for (int tries = 1; tries <= 8; ++tries) {
    EXPECT_FALSE(tables_.any_set_aside()) << tries;
    tables_.begin_copy({1}, Lsn{1000});
    tables_.leave(left(1, Remedy::Copy));
    EXPECT_EQ(tables_.state(1), TableState::Waiting);
    const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
        tables_.all().at(0).due - clock_.steady());
    EXPECT_GT(pause.count(), 0);
    EXPECT_GE(pause, before);
    before = pause;
    clock_.advance(pause);
  }
  EXPECT_TRUE(tables_.any_set_aside()) << "somebody has to look";
}

TEST_F(TableStatesTest, LateNewsOfATableThatLeftChangeNothing) {
  tables_.live(1, {"public", "t1"});
  tables_.leave(left(1, Remedy::Person));
  tables_.live(1, {"public", "t1"});
  tables_.copied(schema(1), Lsn{1200});
  tables_.joined({{1, {}}});
  tables_.copy_failed(1, "late");
  EXPECT_EQ(tables_.state(1), TableState::SetAside);
  EXPECT_EQ(tables_.all().at(0).reason, "because");
}

TEST_F(TableStatesTest, WhatKeepsComingBackIsCopiedAfterGrowingPauses) {
  tables_.live(1, {"public", "t1"});
  for (const int pause : {0, 100, 200, 300, 300}) {
    tables_.leave(left(1, Remedy::Copy));
    EXPECT_EQ(tables_.all().at(0).due - clock_.steady(), std::chrono::milliseconds(pause));
    tables_.begin_copy({1}, Lsn{1000});
    tables_.copied(schema(1), Lsn{1200});
    tables_.joined({{1, Lsn{1200}}});
  }
  EXPECT_EQ(tables_.doubts(), 5U);
  clock_.advance(std::chrono::milliseconds(300));
  tables_.leave(left(1, Remedy::Copy));
  EXPECT_EQ(tables_.all().at(0).due, clock_.steady()) << "it was live for long";
}

TEST_F(TableStatesTest, WhatIsAskedForIsNoDoubtAndNothingNewForACopyUnderWay) {
  tables_.live(1, {"public", "t1"});
  tables_.wish(1, Wish::Pause);
  tables_.wish(1, Wish::Copy);
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Pause}}));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Copy}})) << "in the order they were asked in";
  EXPECT_TRUE(tables_.granted(as(1, TableState::Waiting)));
  EXPECT_EQ(tables_.doubts(), 0U);
  tables_.begin_copy({1}, Lsn{1000});
  EXPECT_FALSE(tables_.granted(as(1, TableState::Waiting)));
  EXPECT_EQ(tables_.state(1), TableState::Copying);
}

TEST_F(TableStatesTest, WhatWasStagedBeforeAPauseIsVoidAfterIt) {
  tables_.leave(left(1, Remedy::Copy));
  const std::uint64_t first = tables_.begin_copy({1}, Lsn{1000}).at(1);
  EXPECT_TRUE(tables_.is_current(1, first));
  tables_.copied(schema(1), Lsn{1200});
  EXPECT_TRUE(tables_.is_current(1, first)) << "it catches up with this copy";
  tables_.granted(as(1, TableState::Paused, Lsn{1200}));
  tables_.granted(as(1, TableState::CatchingUp, Lsn{1200}));
  EXPECT_FALSE(tables_.is_current(1, first));
  EXPECT_EQ(tables_.wait_for_lagging({}).at(0).position, Lsn{1200});
}

TEST_F(TableStatesTest, WhatIsAskedOfATableIsWaitedFor) {
  EXPECT_TRUE(tables_.wait_for_wishes({}));
  tables_.wish(1, Wish::Pause);
  EXPECT_FALSE(tables_.wait_for_wishes({}));
  tables_.take_wishes();
  EXPECT_FALSE(tables_.wait_for_wishes({})) << "taken is not granted";
  tables_.wishes_granted();
  EXPECT_TRUE(tables_.wait_for_wishes({}));
}

/// Between two tries of a load, what that may have done to a table is not known yet.
TEST_F(TableStatesTest, TablesThatAreToLeaveComeBeforeTheOthers) {
  tables_.wish(1, Wish::Resume);
  tables_.wish(1, Wish::Pause);
  tables_.wish(2, Wish::Pause);
  tables_.wish(2, Wish::Resume);
  tables_.wish(3, Wish::Copy);
  tables_.wish(4, Wish::Heal);
  EXPECT_EQ(tables_.take_wishes_to_leave(), (Wishes{{2, Wish::Pause}, {3, Wish::Copy}}));
  EXPECT_EQ(tables_.take_wishes_to_leave(), Wishes{});
  EXPECT_FALSE(tables_.wait_for_wishes({}));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Resume}, {2, Wish::Resume}, {4, Wish::Heal}}));
}

/// By a load whose end nobody heard of.
TEST_F(TableStatesTest, ATableThatTheTargetHasSetAsideGoesOnWhereItStands) {
  tables_.live(1, {"public", "t1"});
  EXPECT_TRUE(tables_.granted(as(1, TableState::SetAside, Lsn{500})));
  EXPECT_EQ(tables_.held_from(), Lsn{500});
  SetAside said = left(1, Remedy::Person);
  said.position = Lsn{500};
  tables_.leave(said);
  EXPECT_TRUE(tables_.all().at(0).resumable);
}

/// The target may say that it waits for a copy, which pausing would forget.
TEST_F(TableStatesTest, WhatWaitsForAPersonIsNotPaused) {
  tables_.leave(left(1, Remedy::Person));
  tables_.wish(1, Wish::Pause);
  EXPECT_TRUE(tables_.take_wishes().empty());
  EXPECT_TRUE(tables_.wait_for_wishes({}));
  tables_.wish(1, Wish::Copy);
  tables_.wish(1, Wish::Pause);
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Copy}}));
  tables_.granted(as(1, TableState::Waiting));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Pause}})) << "it waits for nobody by then";
}

/// Of a copy that failed or was interrupted the target may have some.
TEST_F(TableStatesTest, ATableThatTheTargetHasHalfACopyOfWaits) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.begin_copy({1}, Lsn{1000});
  tables_.copy_failed(1, "the source is away");
  tables_.granted(as(1, TableState::Copying));
  EXPECT_EQ(tables_.state(1), TableState::Waiting);
  EXPECT_EQ(tables_.begin_copy({1}, Lsn{1000}).size(), 1U);
}

TEST_F(TableStatesTest, ACopyOfATableThatLeftIsOver) {
  tables_.leave(left(1, Remedy::Copy));
  const std::uint64_t attempt = tables_.begin_copy({1}, Lsn{1000}).at(1);
  tables_.leave(left(1, Remedy::Person));
  EXPECT_FALSE(tables_.is_current(1, attempt));
  EXPECT_FALSE(tables_.held_from().known()) << "it holds no rows";
}

TEST_F(TableStatesTest, ACopyBeginsOnlyOfWhatStillWaits) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.granted(as(1, TableState::Paused));
  EXPECT_TRUE(tables_.begin_copy({1}, Lsn{1000}).empty());
  EXPECT_EQ(tables_.state(1), TableState::Paused);
  EXPECT_FALSE(tables_.held_from().known()) << "there is nothing to go on with";
}

TEST_F(TableStatesTest, PausedTablesHoldTheJournalUntilTheyAreLetGo) {
  tables_.granted(as(1, TableState::Paused, Lsn{500}));
  tables_.live(2, {"public", "t2"});
  tables_.leave({2, {"public", "t2"}, "a value", Lsn{400}, Remedy::Person});
  tables_.leave({2, {"public", "t2"}, "a value", Lsn{400}, Remedy::Person});
  tables_.leave({3, {"public", "t3"}, "dropped", Lsn{300}, Remedy::Nothing});
  EXPECT_EQ(tables_.held_from(), Lsn{400});
  EXPECT_FALSE(tables_.let_go(Lsn{400})) << "what is loaded is needed no longer by anybody";
  EXPECT_EQ(tables_.let_go(Lsn{900})->oid, 2U) << "the oldest first";
  EXPECT_EQ(tables_.held_from(), Lsn{500});
  EXPECT_EQ(tables_.let_go(Lsn{900})->oid, 1U);
  EXPECT_FALSE(tables_.held_from().known());
  EXPECT_FALSE(tables_.let_go(Lsn{900}));
}

TEST_F(TableStatesTest, ATableWhoseNameAnotherTookHoldsNothing) {
  TableRecord namesake = as(2, TableState::Waiting);
  namesake.name = {"public", "t1"};
  tables_.begin({as(1, TableState::Paused, Lsn{500}), namesake}, Lsn{450});
  tables_.begin_copy({2}, Lsn{600});
  EXPECT_EQ(tables_.held_from(), Lsn{500});
  TableSchema copied = *schema(2);
  copied.name = namesake.name;
  tables_.copied(std::make_shared<const TableSchema>(copied), Lsn{600});
  EXPECT_EQ(tables_.held_from(), Lsn{600});
  EXPECT_FALSE(tables_.all().at(0).position.known()) << "a copy brings it back";
}

TEST_F(TableStatesTest, NobodyIsLetGoWhereThatFreesNothing) {
  tables_.granted(as(1, TableState::Paused, Lsn{500}));
  tables_.granted(as(2, TableState::CatchingUp, Lsn{400}));
  EXPECT_FALSE(tables_.let_go(Lsn{900}));
}

TEST_F(TableStatesTest, AfterARestartATableHoldsOnlyWhatTheJournalHas) {
  tables_.begin({as(1, TableState::Paused, Lsn{500}), as(2, TableState::SetAside, Lsn{400}),
                 as(3, TableState::Paused)},
                Lsn{450});
  EXPECT_EQ(tables_.held_from(), Lsn{500});
  EXPECT_TRUE(tables_.settled());
  EXPECT_TRUE(tables_.any_set_aside());
}

TEST_F(TableStatesTest, ThePublicationIsLookedAtWhateverIsMissingInIt) {
  tables_.look_at_publication();
  tables_.unpublished(false);
  EXPECT_TRUE(tables_.wait_for_copies({}).publish);
  tables_.close();
  EXPECT_FALSE(tables_.wait_for_copies({}).publish);
}

TEST_F(TableStatesTest, WhatIsPublishedIsWaitedForUntilItIsMet) {
  tables_.unpublished(true);
  EXPECT_FALSE(tables_.settled());
  EXPECT_TRUE(tables_.wait_for_copies({}).publish);
  EXPECT_FALSE(tables_.settled()) << "somebody is about to";
  tables_.published({1, 2}, {});
  tables_.unpublished(false);
  EXPECT_FALSE(tables_.settled());
  tables_.live(1, {"public", "t1"});
  EXPECT_FALSE(tables_.settled());
  tables_.live(2, {"public", "t2"});
  EXPECT_TRUE(tables_.settled());
}

TEST_F(TableStatesTest, ATableThatIsGoneBeforeItIsMetIsNotWaitedForForever) {
  tables_.published({1}, {});
  for (int look = 0; look < 3; ++look) {
    EXPECT_FALSE(tables_.settled()) << look;
    tables_.unpublished(false);
  }
  EXPECT_FALSE(tables_.settled());
  tables_.unpublished(false);
  EXPECT_TRUE(tables_.settled());
}

TEST_F(TableStatesTest, ATableThatCannotBePublishedDoesNotProlongTheWaitForOthers) {
  tables_.published({1}, {});
  for (int look = 0; look < 4; ++look) {
    EXPECT_FALSE(tables_.settled()) << look;
    tables_.unpublished(true);
    EXPECT_TRUE(tables_.wait_for_copies({}).publish);
    tables_.published({}, {{{"public", "t2"}, "somebody else's"}});
  }
  EXPECT_TRUE(tables_.settled());
}

TEST_F(TableStatesTest, APublicationThatCannotBeReachedIsNotWaitedFor) {
  tables_.look_at_publication();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(tables_.settled()) << "it may pass; looks until now: " << i;
    EXPECT_TRUE(tables_.wait_for_copies({}).publish);
    EXPECT_FALSE(tables_.settled());
    tables_.look_at_publication();
  }
  EXPECT_TRUE(tables_.settled());
}

TEST_F(TableStatesTest, NoCopyBeginsWhileLoadingIsPaused) {
  tables_.leave(left(1, Remedy::Copy));
  tables_.pause_loading(true);
  std::stop_source stop;
  CopyWork work;
  std::jthread waiting([&] { work = tables_.wait_for_copies(stop.get_token()); });
  tables_.unpublished(true);
  stop.request_stop();
  waiting.join();
  EXPECT_TRUE(work.empty());
  tables_.pause_loading(false);
  EXPECT_EQ(tables_.wait_for_copies({}).due.size(), 1U);
}

TEST_F(TableStatesTest, DoubtsMayWaitForAPerson) {
  tables_.set_doubts_aside();
  TableRecord waiting;
  waiting.oid = 2;
  TableSchema known;
  known.columns.emplace_back();
  waiting.schema = std::make_shared<const TableSchema>(known);
  tables_.begin({waiting}, {});
  EXPECT_EQ(tables_.state(2), TableState::SetAside) << "it was in doubt before the restart";
  waiting.asked = true;
  tables_.begin({waiting}, {});
  EXPECT_EQ(tables_.state(2), TableState::Waiting) << "somebody has decided";
  tables_.leave(left(1, Remedy::Copy));
  EXPECT_EQ(tables_.state(1), TableState::Waiting) << "it was never live";
  tables_.live(3, {"public", "t3"});
  tables_.leave(left(3, Remedy::Copy));
  EXPECT_EQ(tables_.state(3), TableState::SetAside);
  EXPECT_FALSE(tables_.held_from().known()) << "only a copy helps";
  tables_.granted(as(3, TableState::Waiting));
  EXPECT_EQ(tables_.state(3), TableState::Waiting);
  EXPECT_EQ(tables_.doubts(), 0U);
  tables_.live(4, {"public", "t4"});
  TableRecord asked = as(4, TableState::Waiting);
  tables_.granted(asked);
  EXPECT_EQ(tables_.state(4), TableState::SetAside) << "its changes are gone";
  tables_.live(5, {"public", "t5"});
  asked.oid = 5;
  asked.asked = true;
  tables_.granted(asked);
  EXPECT_EQ(tables_.state(5), TableState::Waiting) << "somebody wants it copied";
}

TEST_F(TableStatesTest, WhatIsNeverCopiedWaitsForAPersonOnceItWasFollowed) {
  tables_.forbid_copies([](const QualifiedName& name) { return name.name == "t1"; });
  EXPECT_EQ(tables_.leave(left(1, Remedy::Copy)).remedy, Remedy::Copy) << "it is yet to begin";
  EXPECT_EQ(tables_.state(1), TableState::Waiting);
  tables_.begin_copy({1}, Lsn{1000});
  tables_.copied(schema(1), Lsn{1200}, InitialCopy::Never);
  EXPECT_EQ(tables_.all().at(0).initial_copy, InitialCopy::Never);
  const SetAside said = tables_.leave(left(1, Remedy::Copy));
  EXPECT_EQ(said.remedy, Remedy::Person);
  EXPECT_EQ(said.reason.find("because. It is not copied anew, because its initial_copy"), 0U);
  EXPECT_EQ(tables_.all().at(0).reason, said.reason);
  EXPECT_EQ(tables_.state(1), TableState::SetAside);
  EXPECT_FALSE(tables_.all().at(0).resumable) << "the stream cannot tell";
  tables_.granted(as(1, TableState::Waiting));
  EXPECT_EQ(tables_.state(1), TableState::Waiting) << "a person lets it begin again";
  tables_.begin_copy({1}, Lsn{1000});
  tables_.copied(schema(1), Lsn{1200}, InitialCopy::Never);
  // The journal no longer has its changes.
  tables_.granted(as(1, TableState::Waiting));
  EXPECT_EQ(tables_.state(1), TableState::SetAside);
}

TEST_F(TableStatesTest, WhatIsNeverCopiedWaitsForAPersonAfterARestartToo) {
  tables_.forbid_copies([](const QualifiedName&) { return true; });
  TableRecord begun;
  begun.oid = 1;
  TableSchema known;
  known.columns.emplace_back();
  begun.schema = std::make_shared<const TableSchema>(known);
  TableRecord fresh;
  fresh.oid = 2;
  tables_.begin({begun, fresh}, {});
  EXPECT_EQ(tables_.state(1), TableState::SetAside);
  EXPECT_EQ(tables_.state(2), TableState::Waiting);
  begun.asked = true;
  tables_.begin({begun}, {});
  EXPECT_EQ(tables_.state(1), TableState::Waiting) << "somebody lets it begin again";
}

}  // namespace
}  // namespace re_dms::table_states_test
