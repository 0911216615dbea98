// Tables of the target that are kept when their rows are copied, or begin without a copy.
#include <fmt/format.h>

#include "warehouse/testing/copy_contract.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::contract_kept_test {

namespace {

constexpr Lsn kCopiedAt{5000};

class KeptContract : public CopyContract {
 protected:
  /// Somebody's table, and a view of it: other order of columns, one more, a comment.
  void make_theirs(const std::string& columns = "extra INTEGER, a VARCHAR, id BIGINT NOT NULL") {
    target_->execute("CREATE SCHEMA shop");
    target_->execute(fmt::format("CREATE TABLE shop.items ({})", columns));
    target_->execute("COMMENT ON TABLE shop.items IS 'theirs'");
    if (columns.find("extra") != std::string::npos) {
      target_->execute("CREATE VIEW shop.seen AS SELECT id, a, extra FROM shop.items");
    }
  }

  StagedLayer adopted(std::uint64_t number, bool last, std::vector<TextRow> rows,
                      const TablePtr& table = items(), Lsn position = kCopiedAt) {
    return step(number, last, position, std::move(rows), table, InitialCopy::Adopt);
  }

  LoadReport begin_without_copy(const TablePtr& table = items(), Lsn position = kCopiedAt) {
    return load_copy({step(1, true, position, {}, table, InitialCopy::Never)});
  }

  void ask_for_copy() { ask(Wish::Copy); }

  void be_live(Lsn stands_at = kCopiedAt) {
    ASSERT_EQ(join(stands_at).tables.size(), 1U);
    loaded_ = stands_at;
    target_->execute(
        fmt::format("UPDATE re_dms_internal.position SET loaded = {}", stands_at.value));
    warehouse_.reset();
  }

  Rows seen() { return select("SELECT * FROM shop.seen"); }

  Rows comment() {
    return select("SELECT comment FROM duckdb_tables() WHERE table_name = 'items'");
  }

  std::string began() {
    return select("SELECT initial_copy FROM re_dms.tables WHERE source_table = 'items'").at(0);
  }
};

TEST_P(KeptContract, AnAdoptedTableIsRefilledInOneStep) {
  make_theirs();
  target_->execute("INSERT INTO shop.items VALUES (7, 'theirs', 9)");
  meet();
  EXPECT_TRUE(load_copy({adopted(1, false, {{"1", "a"}})}).set_aside.empty());
  EXPECT_EQ(seen(), (Rows{"9|theirs|7"})) << "readers see the table as it was";
  EXPECT_TRUE(load_copy({adopted(2, true, {{"2", "b"}})}).set_aside.empty());
  EXPECT_EQ(seen(), (Rows{"1|a|NULL", "2|b|NULL"}));
  EXPECT_EQ(comment(), (Rows{"theirs"})) << "it is the same table";
  EXPECT_EQ(state_of("items"), "catching up|NULL");
  EXPECT_EQ(began(), "adopt");
  EXPECT_EQ(select("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE "
                   "'re_dms_copy%'"),
            (Rows{"0"}));
  // The same step again, whose answer was lost.
  load_copy({adopted(2, true, {{"2", "b"}})});
  EXPECT_EQ(seen().size(), 2U);
}

TEST_P(KeptContract, AnAdoptedTableIsFollowedWithWhatElseItHas) {
  make_theirs("extra INTEGER, a VARCHAR, made VARCHAR NOT NULL DEFAULT 'here', id BIGINT");
  meet();
  load_copy({adopted(1, true, {{"1", "a"}, {"2", "b"}, {"3", "c"}})});
  target_->execute("ALTER TABLE shop.items ADD COLUMN later VARCHAR");
  be_live();
  EXPECT_EQ(taken().take_over(test_origin(), unknown_before(), {}).tables.at(0).state,
            TableState::Live)
      << "a restart tolerates them too";
  load({staged(LayerBuilder(items())
                   .insert({"4", "d"})
                   .update({"1"}, "01", {{}, "A"})
                   .replace({"2"}, {"5", "B"})
                   .remove({"3"}))});
  EXPECT_EQ(state_of("items"), "live|NULL");
  EXPECT_EQ(seen(), (Rows{"1|A|NULL", "4|d|NULL", "5|B|NULL"}));
  EXPECT_EQ(select("SELECT DISTINCT made FROM shop.items"), (Rows{"here"}));
  EXPECT_EQ(comment(), (Rows{"theirs"}));
}

TEST_P(KeptContract, ColumnsOfTheSourceComeIntoTheTableThatIsThere) {
  make_theirs();
  meet();
  load_copy({adopted(1, true, {{"1", "a"}})});
  be_live();
  Column filled = column("n", bigint_type());
  filled.missing = "7";
  const TablePtr wider =
      with_column(with_column(items(), filled), column("extra", type_of(23, "integer")));
  StagedLayer layer = staged(LayerBuilder(wider).insert({"2", "b", "8", "3"}));
  layer.changes = {AddColumn{wider->columns[2]}, AddColumn{wider->columns[3]}};
  EXPECT_TRUE(load({layer}).set_aside.empty());
  EXPECT_EQ(select("SELECT id, a, n, extra FROM shop.items"), (Rows{"1|a|7|NULL", "2|b|8|3"}));
  EXPECT_EQ(comment(), (Rows{"theirs"}));
  // Behind a changed row DuckDB could only make the table anew.
  const TablePtr widest = with_column(wider, column("m", bigint_type()));
  StagedLayer second = staged(LayerBuilder(widest).insert({"3", "c", "9", "3", "1"}));
  second.changes = {AddColumn{widest->columns[4]}};
  const LoadReport report = load({staged(LayerBuilder(wider).remove({"1"})), second});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Copy);
  // The copy brings the column.
  load_copy({adopted(1, true, {{"1", "a", "1", "2", "3"}}, widest, Lsn{6000})});
  EXPECT_EQ(select("SELECT id, a, n, extra, m FROM shop.items"), (Rows{"1|a|1|2|3"}));
  EXPECT_EQ(comment(), (Rows{"theirs"}));
}

TEST_P(KeptContract, ATableThatDoesNotFitIsSetAsideAtTheFirstStep) {
  make_theirs("id BIGINT NOT NULL, note VARCHAR NOT NULL");
  meet();
  LoadReport report = load_copy({adopted(1, false, {{"1", "a"}})});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].remedy, Remedy::Person);
  EXPECT_EQ(
      report.set_aside[0].reason,
      "the table shop.items of the target does not fit: column \"a\" (VARCHAR) is missing; "
      "column \"note\", which the source does not have, is NOT NULL without a default. Change "
      "it there, or drop it so that re_dms makes it, and then run `re_dms resync`");
  const auto refused = [&](const std::string& columns, const std::string& words) {
    target_->execute("DROP VIEW IF EXISTS shop.seen");
    target_->execute("DROP TABLE shop.items");
    target_->execute("DROP SCHEMA shop");
    make_theirs(columns + ", extra INTEGER");
    ask_for_copy();
    report = load_copy({adopted(1, true, {{"1", "a"}})});
    const std::string reason = report.set_aside.empty() ? "" : report.set_aside[0].reason;
    EXPECT_NE(reason.find(words), std::string::npos) << reason;
    EXPECT_EQ(select("SELECT count(*) FROM shop.items"), (Rows{"0"}));
  };
  refused("id INTEGER, a VARCHAR", "column \"id\" is of type INTEGER, not BIGINT");
  refused("id BIGINT, a VARCHAR NOT NULL", "column \"a\" is NOT NULL, and may be NULL");
  refused("id BIGINT PRIMARY KEY, a VARCHAR", "it has the constraint PRIMARY KEY");
}

TEST_P(KeptContract, TwoTablesAreNotMixedInOne) {
  warehouse_ = open("copy");
  warehouse_->take_over(test_origin(), unknown_before(), {});
  const TablePtr other = items(702, {"archive", "items"});
  meet();
  meet(other);
  EXPECT_TRUE(load_copy({adopted(1, true, {{"1", "a"}})}).set_aside.empty());
  const LoadReport report = load_copy({adopted(1, true, {{"2", "b"}}, other)});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_NE(report.set_aside[0].reason.find("is that of shop.items already"), std::string::npos)
      << report.set_aside[0].reason;
  EXPECT_EQ(select("SELECT * FROM copy.items"), (Rows{"1|a"}));
}

TEST_P(KeptContract, ATableThatWasMadeAnewInTheSourceGoesIntoTheOneThatIsThere) {
  make_theirs();
  meet();
  load_copy({adopted(1, true, {{"1", "dropped"}})});
  ask(Wish::Copy);
  const TablePtr anew = items(702);
  load({}, {{702, {"shop", "items"}, "it is new", loaded_, Remedy::Copy}});
  EXPECT_TRUE(load_copy({adopted(1, true, {{"2", "anew"}}, anew, Lsn{6000})}).set_aside.empty());
  EXPECT_EQ(seen(), (Rows{"2|anew|NULL"}));
  EXPECT_EQ(comment(), (Rows{"theirs"}));
}

TEST_P(KeptContract, WithoutATableThereAdoptingMakesOne) {
  meet();
  load_copy({adopted(1, false, {{"1", "a"}})});
  load_copy({adopted(2, true, {{"2", "b"}})});
  EXPECT_EQ(rows(), (Rows{"1|a", "2|b"}));
  // From then on it is kept.
  target_->execute("COMMENT ON TABLE shop.items IS 'theirs'");
  ask_for_copy();
  load_copy({adopted(1, true, {{"3", "c"}}, items(), Lsn{6000})});
  EXPECT_EQ(rows(), (Rows{"3|c"}));
  EXPECT_EQ(comment(), (Rows{"theirs"}));
}

TEST_P(KeptContract, WithoutACopyRowsThatAreThereStay) {
  make_theirs();
  target_->execute("INSERT INTO shop.items VALUES (7, 'theirs', 1), (8, 'theirs', 2)");
  meet();
  EXPECT_TRUE(begin_without_copy().set_aside.empty());
  EXPECT_EQ(seen(), (Rows{"1|theirs|7", "2|theirs|8"}));
  EXPECT_EQ(state_of("items"), "catching up|NULL");
  EXPECT_EQ(began(), "never");
  EXPECT_EQ(taken().take_over(test_origin(), unknown_before(), {}).tables.at(0).initial_copy,
            InitialCopy::Never);
}

TEST_P(KeptContract, WithoutACopyRowsMayBeMissing) {
  meet();
  begin_without_copy();
  EXPECT_EQ(rows(), Rows{});
  be_live();
  const LoadReport report = load({staged(LayerBuilder(items())
                                             .insert({"1", "new"})
                                             .replace({"2"}, {"2", "whole"})
                                             .update({"3"}, "01", {{}, "in part"})
                                             .remove({"4"}))});
  EXPECT_TRUE(report.set_aside.empty());
  ASSERT_EQ(report.not_there.size(), 1U);
  EXPECT_EQ(report.not_there[0].table, (QualifiedName{"shop", "items"}));
  EXPECT_EQ(report.not_there[0].rows, 3U);
  EXPECT_EQ(rows(), (Rows{"1|new", "2|whole"}));
  // One alone, whose answer was lost, and one whole.
  const StagedBatch lost = next_batch({staged(LayerBuilder(items()).remove({"6"}))});
  EXPECT_EQ(taken().load(lost, {}).not_there.size(), 1U);
  const LoadReport again = taken().load(lost, {});
  ASSERT_EQ(again.not_there.size(), 1U);
  EXPECT_EQ(again.not_there[0].rows, 1U);
  loaded_ = lost.span.to;
  EXPECT_EQ(load({staged(LayerBuilder(items()).update({"3"}, "01", {{}, "x"}))}).not_there.size(),
            1U);
  EXPECT_EQ(load({staged(LayerBuilder(items()).replace({"5"}, {"5", "x"}))}).not_there.size(), 1U);
  EXPECT_EQ(rows(), (Rows{"1|new", "2|whole", "5|x"}));
  // More than there should be is no better than elsewhere.
  target_->execute("INSERT INTO shop.items VALUES (1, 'twice')");
  EXPECT_EQ(load({staged(LayerBuilder(items()).remove({"1"}))}).set_aside.size(), 1U);
}

TEST_P(KeptContract, WithoutACopyEqualRowsMayBeMissing) {
  Column value = column("a", text_type());
  TableSchema keyless = *make_table(kCopiedOid, {"shop", "items"}, {value});
  keyless.identity = ReplicaIdentity::Full;
  const TablePtr table = std::make_shared<const TableSchema>(keyless);
  meet(table);
  begin_without_copy(table);
  be_live();
  load({staged(LayerBuilder(table).insert({"x"}).insert({"x"}).insert({"y"}))});
  const LoadReport report =
      load({staged(LayerBuilder(table).take({"x"}).take({"y"}).take({"y"}).take({"z"}))});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.not_there.at(0).rows, 2U);
  EXPECT_EQ(rows(), (Rows{"x"}));
}

INSTANTIATE_TEST_SUITE_P(DuckDb, KeptContract, ::testing::Values(&make_duckdb_target));

}  // namespace
}  // namespace re_dms::testing::contract_kept_test
