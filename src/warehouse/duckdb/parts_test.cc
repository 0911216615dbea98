// Batches that one transaction cannot take: in several, table by table, the position last.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::parts_test {

namespace {

using ::testing::HasSubstr;

constexpr Oid kFirst = 501;

/// Makes the target refuse statements by how many tables were written since BEGIN.
class DuckdbParts : public WarehouseContract {
 protected:
  static TablePtr table(Oid oid) {
    return make_table(oid, {"shop", fmt::format("t{}", oid)},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }

  void make_tables(int count) {
    std::vector<StagedLayer> layers;
    for (int i = 0; i < count; ++i) {
      layers.push_back(staged(LayerBuilder(table(kFirst + i)).create().insert({"1", "x"})));
    }
    load(std::move(layers));
    warehouse_ = refusing();
    warehouse_->take_over(test_origin(), unknown_before(), {});
    commits_ = writes_ = 0;
  }

  /// A row more for each table.
  StagedBatch rows_for(int count) {
    std::vector<StagedLayer> layers;
    for (int i = 0; i < count; ++i) {
      layers.push_back(staged(LayerBuilder(table(kFirst + i)).insert({"2", "y"})));
    }
    return next_batch(std::move(layers));
  }

  /// Rows for eight tables, of which an outage behind the first COMMIT leaves some without.
  StagedBatch half_loaded() {
    make_tables(8);
    fit_ = 3;
    stops_behind_ = 1;
    StagedBatch batch = rows_for(8);
    EXPECT_THROW(warehouse_->load(batch, {}), Error);
    stops_behind_ = -1;
    return batch;
  }

  std::unique_ptr<Warehouse> refusing() {
    WarehouseSettings settings = target_->settings();
    settings.watch.begins = [this](std::string_view statement) { look_at(statement); };
    return open_warehouse(settings, clock_);
  }

  /// How many tables hold the row.
  std::string loaded_tables(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      all += fmt::format("{}SELECT * FROM shop.t{}", i == 0 ? "" : " UNION ALL ", kFirst + i);
    }
    return select("SELECT count(*) FILTER (id = 2) FROM (" + all + ")").at(0);
  }

  std::string position() {
    return select("SELECT complete_position, consistent_lsn IS NULL FROM re_dms.position").at(0);
  }

  static Oid written(std::string_view statement) {
    constexpr std::string_view kBefore = R"(INSERT INTO "warehouse"."shop"."t)";
    return statement.starts_with(kBefore)
               ? static_cast<Oid>(std::stoul(std::string(statement.substr(kBefore.size(), 3))))
               : 0;
  }

  void look_at(std::string_view statement) {
    if (statement == "BEGIN TRANSACTION") {
      open_.clear();
    }
    if (const Oid oid = written(statement)) {
      ++writes_;
      if (open_.size() == fit_ || oid == greedy_) {
        throw Error(ErrorKind::Table, "DuckDB: Out of Memory Error: could not allocate block");
      }
      if (failing_.contains(oid)) {
        throw Error(ErrorKind::Table, "a fault of its own");
      }
      open_.insert(oid);
    }
    if (statement == "COMMIT") {
      ++commits_;
      if (!disk_.empty() && !open_.empty()) {
        throw Error(ErrorKind::Transient, disk_);
      }
      if (refuses_all_ || open_.contains(refused_) || commits_ == ends_at_) {
        throw Error(ErrorKind::Transient, "DuckDB: TransactionContext Error: Failed to commit");
      }
    }
    if (commits_ == stops_behind_ && written(statement) != 0) {
      throw Error(ErrorKind::Transient, "the disk is away");
    }
  }

  std::string disk_;        ///< how a COMMIT with rows fails
  std::size_t fit_ = 1000;  ///< so many tables fit into memory
  std::set<Oid> failing_;   ///< their rows are refused
  Oid greedy_ = 0;          ///< fits nowhere
  Oid refused_ = 0;         ///< a COMMIT with it is
  bool refuses_all_ = false;
  int ends_at_ = 0;        ///< this COMMIT is refused, whoever is in it
  int stops_behind_ = -1;  ///< what follows this COMMIT meets an outage
  std::set<Oid> open_;     ///< written in the open transaction
  int writes_ = 0;
  int commits_ = 0;
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbParts, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbParts, MoreTablesThanFitIntoMemoryAreLoadedInSeveralTransactions) {
  make_tables(40);
  fit_ = 7;
  const StagedBatch batch = rows_for(40);
  const LoadReport report = warehouse_->load(batch, {});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.rows, 40U);
  EXPECT_EQ(loaded_tables(40), "40");
  EXPECT_EQ(position(), fmt::format("{}|false", batch.span.to.value));
  EXPECT_EQ(select("SELECT count(*), count(DISTINCT load) FROM re_dms.loads WHERE to_lsn = "
                   "'0/4B0'"),
            Rows{"40|1"});
  // What was learnt about the memory holds for the next batch too.
  loaded_ = batch.span.to;
  commits_ = writes_ = 0;
  EXPECT_TRUE(warehouse_->load(rows_for(40), {}).set_aside.empty());
  EXPECT_LE(writes_, 40 + 8);
}

TEST_P(DuckdbParts, OneThatDoesNotFitAloneIsSetAside) {
  make_tables(3);
  fit_ = 0;
  const LoadReport report = warehouse_->load(rows_for(3), {});
  EXPECT_EQ(report.set_aside.size(), 3U);
  EXPECT_EQ(loaded_tables(3), "0");
}

TEST_P(DuckdbParts, AnOutageBetweenTwoOfThemLosesAndDoublesNothing) {
  const StagedBatch batch = half_loaded();
  EXPECT_EQ(position(), fmt::format("{}|true", batch.span.from.value));
  const int held = std::stoi(loaded_tables(8));
  EXPECT_GT(held, 0);
  EXPECT_LT(held, 8);
  const LoadReport report = warehouse_->load(batch, {});
  EXPECT_EQ(report.rows, 8U);
  EXPECT_EQ(loaded_tables(8), "8");
  EXPECT_EQ(position(), fmt::format("{}|false", batch.span.to.value));
}

TEST_P(DuckdbParts, ARestartBetweenTwoOfThemKnowsWhoHoldsWhat) {
  const StagedBatch batch = half_loaded();
  fit_ = 1000;
  warehouse_ = refusing();
  const TargetState state = warehouse_->take_over(test_origin(), unknown_before(), {});
  EXPECT_EQ(state.loaded, batch.span.from);
  // The fold skips what these hold; the next batch reaches further.
  std::vector<StagedLayer> rest;
  int held = 0;
  for (const TargetTable& known : state.tables) {
    if (known.position == batch.span.from) {
      rest.push_back(staged(LayerBuilder(table(known.schema.oid)).insert({"2", "y"})));
    } else {
      EXPECT_EQ(known.position, batch.span.to);
      ++held;
    }
  }
  EXPECT_EQ(std::to_string(held), loaded_tables(8));
  const Oid ahead = kFirst;
  rest.push_back(staged(LayerBuilder(table(ahead)).insert({"3", "z"})));
  StagedBatch further = next_batch(std::move(rest));
  further.span.to = Lsn{batch.span.to.value + 50};
  EXPECT_TRUE(warehouse_->load(further, {}).set_aside.empty());
  EXPECT_EQ(loaded_tables(8), "8");
  EXPECT_EQ(select(fmt::format("SELECT count(*) FROM shop.t{}", ahead)), Rows{"3"});
  EXPECT_EQ(position(), fmt::format("{}|false", further.span.to.value));
}

TEST_P(DuckdbParts, ManyFailingTablesCostFewSecondTries) {
  make_tables(120);
  for (Oid oid = kFirst; oid < kFirst + 120; oid += 5) {
    failing_.insert(oid);
  }
  const LoadReport report = warehouse_->load(rows_for(120), {});
  EXPECT_EQ(report.set_aside.size(), failing_.size());
  EXPECT_EQ(report.rows, 96U);
  EXPECT_EQ(loaded_tables(120), "96");
  EXPECT_LT(writes_, 96 * 6);
}

TEST_P(DuckdbParts, ATableThatNoCommitTakesIsSetAsideAlone) {
  make_tables(9);
  refused_ = kFirst + 4;
  const LoadReport report = warehouse_->load(rows_for(9), {});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, refused_);
  EXPECT_THAT(report.set_aside[0].reason, HasSubstr("Failed to commit"));
  EXPECT_EQ(loaded_tables(9), "8");
}

TEST_P(DuckdbParts, ATargetThatTakesNoCommitIsWaitedFor) {
  make_tables(4);
  refuses_all_ = true;
  const StagedBatch batch = rows_for(4);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(warehouse_->load(batch, {}), Error);
  }
  refuses_all_ = false;
  EXPECT_TRUE(warehouse_->load(batch, {}).set_aside.empty());
  EXPECT_EQ(loaded_tables(4), "4");
}

TEST_P(DuckdbParts, ADiskThatFailsIsWaitedFor) {
  make_tables(6);
  const StagedBatch batch = rows_for(6);
  for (const char* fault : {"DuckDB: IO Error: x",
                            "DuckDB: TransactionContext Error: Failed to commit: Could not write "
                            "file \"x\": Input/output error",
                            "DuckDB: FATAL Error: fsync failed!"}) {
    disk_ = fault;
    EXPECT_THROW(warehouse_->load(batch, {}), Error);
    EXPECT_EQ(commits_, 1);
    commits_ = 0;
  }
  disk_.clear();
  EXPECT_TRUE(warehouse_->load(batch, {}).set_aside.empty());
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(loaded_tables(6), "6");
}

TEST_P(DuckdbParts, ABatchWithoutRowsWhoseCommitIsRefusedIsWaitedFor) {
  make_tables(6);
  refuses_all_ = true;
  EXPECT_THROW(warehouse_->load(rows_for(0), {}), Error);
  refuses_all_ = false;
  commits_ = 0;
  EXPECT_TRUE(warehouse_->load(rows_for(6), {}).set_aside.empty());
  EXPECT_EQ(commits_, 1);
}

TEST_P(DuckdbParts, OneThatFitsNowhereLeavesTheOthersTogether) {
  make_tables(100);
  greedy_ = kFirst;
  EXPECT_EQ(warehouse_->load(rows_for(100), {}).set_aside.size(), 1U);
  EXPECT_EQ(loaded_tables(100), "99");
  EXPECT_EQ(commits_, 1);
}

TEST_P(DuckdbParts, AStaleJournalIsRefusedWhereOneTableIsAhead) {
  const StagedBatch batch = half_loaded();
  warehouse_ = refusing();
  EXPECT_THROW(warehouse_->take_over(test_origin(), {batch.span.from, true}, {}), Error);
  EXPECT_NO_THROW(warehouse_->take_over(test_origin(), {batch.span.to, true}, {}));
}

TEST_P(DuckdbParts, ACommitThatFailsOnceBlamesNoTable) {
  make_tables(1);
  ends_at_ = commits_ + 1;
  EXPECT_TRUE(warehouse_->load(rows_for(1), {}).set_aside.empty());
  EXPECT_EQ(loaded_tables(1), "1");
}

TEST_P(DuckdbParts, AFileOfTheFormatBeforeGetsTheNewViews) {
  make_tables(2);
  target_->execute(
      "CREATE OR REPLACE VIEW re_dms.position AS SELECT 1 AS complete_position, 1 AS "
      "consistent_lsn");
  target_->execute("DROP SCHEMA re_dms CASCADE");
  target_->execute("DROP TABLE re_dms_internal.adjusted_values");
  target_->execute("DROP TABLE re_dms_internal.adjusted_counts");
  target_->execute("ALTER TABLE re_dms_internal.tables DROP COLUMN initial_copy");
  for (const char* table : {"tables", "loads"}) {
    target_->execute(
        fmt::format("ALTER TABLE re_dms_internal.{} RENAME COLUMN source_oid TO oid", table));
  }
  target_->execute("UPDATE re_dms_internal.source SET format = 1");
  warehouse_ = refusing();
  warehouse_->take_over(test_origin(), unknown_before(), {});
  EXPECT_EQ(position(), fmt::format("{}|false", loaded_.value));
  EXPECT_EQ(select("SELECT DISTINCT initial_copy FROM re_dms.tables"), Rows{"auto"});
  EXPECT_TRUE(select("SELECT 1 FROM re_dms.adjusted_values").empty());
  EXPECT_EQ(select("SELECT format FROM re_dms_internal.source"), Rows{"6"});
}

}  // namespace
}  // namespace re_dms::testing::parts_test
