// The fence, the loaded position and what is kept about loads.
#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/testing/contract.h"

namespace re_dms::testing::contract_fence_test {

namespace {

TablePtr items() {
  return make_table(501, {"shop", "items"},
                    {key_column("id", bigint_type()), column("a", text_type())});
}

template <typename F>
ErrorKind kind_thrown_by(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::Usage;
}

TEST_P(WarehouseContract, AFreshTargetStartsAtTheConsistentPoint) {
  warehouse_ = open();
  const TargetState first = warehouse_->take_over(test_origin(), unknown_before(), {});
  EXPECT_EQ(first.loaded, Lsn{1000});
  EXPECT_TRUE(first.tables.empty());
  const TargetState second = warehouse_->take_over(test_origin(), unknown_before(), {});
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_EQ(
      select("SELECT complete_lsn, consistent_lsn, complete_position, epoch FROM re_dms.position"),
      Rows{fmt::format("0/3E8|0/3E8|1000|{}", second.epoch)});
}

TEST_P(WarehouseContract, ATargetOfAnotherSlotIsRefused) {
  taken();
  for (int change = 0; change < 3; ++change) {
    Origin other = test_origin();
    (change == 0 ? other.system_identifier : change == 1 ? other.slot : other.database) += "2";
    const auto stranger = open();
    EXPECT_EQ(kind_thrown_by([&] { stranger->take_over(other, unknown_before(), {}); }),
              ErrorKind::Fatal);
  }
  EXPECT_TRUE(load({staged(LayerBuilder(items()).create().insert({"1", "x"}))}).set_aside.empty());
}

TEST_P(WarehouseContract, ATargetBeyondTheJournalIsRefusedAndItsLoaderGoesOn) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  const TargetBefore before{Lsn{loaded_.value - 1}, true};
  EXPECT_EQ(kind_thrown_by([&] { open()->take_over(test_origin(), before, {}); }),
            ErrorKind::Fatal);
  EXPECT_TRUE(load({staged(LayerBuilder(items()).insert({"2", "y"}))}).set_aside.empty());
  EXPECT_NO_THROW(open()->take_over(test_origin(), {loaded_, true}, {}));
}

TEST_P(WarehouseContract, ATargetThatIsGoneIsNotMadeAnew) {
  const TargetBefore before{unknown_before().journal_end, true};
  EXPECT_EQ(kind_thrown_by([&] { open()->take_over(test_origin(), before, {}); }),
            ErrorKind::Fatal);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  target_->execute("CREATE TABLE somebody_elses (id int)");
  EXPECT_EQ(kind_thrown_by([&] { open()->take_over(test_origin(), before, {}); }),
            ErrorKind::Fatal);
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), std::nullopt);
}

TEST_P(WarehouseContract, ALookTellsTheLoadedPositionAndChangesNothing) {
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), std::nullopt);
  const std::uint64_t epoch = open()->take_over(test_origin(), unknown_before(), {}).epoch;
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), Lsn{1000});
  EXPECT_EQ(select("SELECT epoch FROM re_dms.position"), Rows{std::to_string(epoch)});
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), loaded_);
  EXPECT_TRUE(load({}).set_aside.empty());
}

TEST_P(WarehouseContract, ALookRefusesWhatTakeOverRefuses) {
  taken();
  for (int change = 0; change < 3; ++change) {
    Origin other = test_origin();
    (change == 0 ? other.system_identifier : change == 1 ? other.slot : other.database) += "2";
    EXPECT_EQ(kind_thrown_by([&] { inspect_warehouse(target_->settings(), other); }),
              ErrorKind::Fatal);
  }
  WarehouseSettings unknown;
  unknown.url = "mysql://somewhere/db";
  EXPECT_EQ(kind_thrown_by([&] { inspect_warehouse(unknown, test_origin()); }), ErrorKind::Usage);
}

TEST_P(WarehouseContract, ALookLeavesATargetAloneThatIsNobodys) {
  target_->execute("CREATE TABLE theirs (a INTEGER)");
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), std::nullopt);
  EXPECT_EQ(select("SELECT count(*) FROM duckdb_schemas() WHERE schema_name LIKE 're_dms%'"),
            Rows{"0"});
}

TEST_P(WarehouseContract, AnEmptyBatchMovesThePosition) {
  taken();
  StagedBatch batch = next_batch({});
  EXPECT_EQ(warehouse_->load(batch, {}).rows, 0U);
  EXPECT_EQ(select("SELECT complete_position FROM re_dms.position"), Rows{"1100"});
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.loads"), Rows{"0"});
}

TEST_P(WarehouseContract, ABatchFromAnotherPositionIsRefused) {
  taken();
  for (const std::uint64_t from : {900U, 1001U}) {
    StagedBatch batch = next_batch({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
    batch.span.from = Lsn{from};
    EXPECT_EQ(kind_thrown_by([&] { warehouse_->load(batch, {}); }), ErrorKind::Fatal);
  }
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.tables"), Rows{"0"});
}

TEST_P(WarehouseContract, AnOlderDaemonIsRefused) {
  taken();
  const auto newer = open();
  newer->take_over(test_origin(), unknown_before(), {});
  const StagedBatch batch = next_batch({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  EXPECT_EQ(kind_thrown_by([&] { warehouse_->load(batch, {}); }), ErrorKind::Fatal);
  EXPECT_EQ(newer->load(batch, {}).rows, 1U);
  EXPECT_EQ(kind_thrown_by([&] { warehouse_->load(batch, {}); }), ErrorKind::Fatal);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
}

TEST_P(WarehouseContract, ABatchThatWasLoadedIsNotLoadedAgain) {
  const TablePtr bad = make_table(502, {"shop", "bad"}, items()->columns);
  taken();
  const StagedBatch batch =
      next_batch({staged(LayerBuilder(items()).create().insert({"1", "x"})),
                  staged(LayerBuilder(bad).insert({"1", "x"}).insert({"2", "x"}))});
  const LoadReport first = warehouse_->load(batch, {});
  const LoadReport again = warehouse_->load(batch, {});
  EXPECT_EQ(first.rows, 1U);
  EXPECT_EQ(again.rows, first.rows);
  EXPECT_EQ(again.set_aside, first.set_aside);
  ASSERT_EQ(again.set_aside.size(), 1U);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
  EXPECT_EQ(select("SELECT count(*) FROM re_dms.loads"), Rows{"1"});
}

TEST_P(WarehouseContract, LoadsTellWhatWasDoneAndWhenItWasSeen) {
  load({staged(
      LayerBuilder(items()).create().insert({"1", "x"}).insert({"2", "x"}).insert({"3", "x"}))});
  clock_.advance(std::chrono::minutes(1));
  load({staged(LayerBuilder(items()).remove({"1"}).replace({"2"}, {"2", "y"})),
        staged(LayerBuilder(items()).update({"3"}, "11", {"3", "z"}).insert({"4", "x"}))});
  EXPECT_EQ(
      select("SELECT load, batch, source_schema, source_table, from_lsn, to_lsn, inserts, "
             "replaces, updates, deletes, rows, stored_bytes > 0, last_commit - first_commit, "
             "applied_at >= started_at, visible_at IS NULL FROM re_dms.loads"),
      (Rows{"1|1|shop|items|0/3E8|0/44C|3|0|0|0|3|true|00:00:01|true|false",
            "2|2|shop|items|0/44C|0/4B0|1|1|1|1|4|true|00:00:01|true|true"}));
  EXPECT_EQ(select("SELECT complete_lsn, loads FROM re_dms.position"), Rows{"0/4B0|2"});
  EXPECT_EQ(select("SELECT complete_lsn FROM re_dms.tables"), Rows{"0/4B0"});

  clock_.advance(std::chrono::hours(24 * 31));
  load({staged(LayerBuilder(items()).insert({"5", "x"}))});
  EXPECT_EQ(select("SELECT load FROM re_dms.loads"), Rows{"3"});
}

}  // namespace
}  // namespace re_dms::testing::contract_fence_test
