// What is DuckDB's own: the file, its lock, its log and its directory.
#include "warehouse/duckdb/duckdb_warehouse.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "warehouse/testing/duckdb_target.h"
#include "warehouse/testing/lock_holder.h"

namespace re_dms::testing::duckdb_warehouse_test {

namespace {

class DuckdbFile : public WarehouseContract {
 protected:
  std::string path() const { return (directory_ / "warehouse.duckdb").string(); }

  std::string check() const {
    WarehouseSettings settings;
    settings.url = "duckdb://" + path();
    return check_warehouse(settings);
  }

  /// What the engine may use from now on.
  void use_memory(std::uint64_t bytes) {
    WarehouseSettings settings = target_->settings();
    settings.memory_bytes = bytes;
    warehouse_ = open_warehouse(settings, clock_);
    warehouse_->take_over(test_origin(), unknown_before(), {});
  }

  static TablePtr items() {
    return make_table(501, {"shop", "items"},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, WarehouseContract, ::testing::Values(&make_duckdb_target));
INSTANTIATE_TEST_SUITE_P(DuckDb, TableContract, ::testing::Values(&make_duckdb_target));
INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbFile, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbFile, AReaderThatHoldsItIsNamedAndWaitedFor) {
  taken();
  const StagedBatch batch = next_batch({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  {
    const LockHolder holder(path());
    const std::string pid = fmt::format("PID {}", holder.pid());
    try {
      warehouse_->load(batch, {});
      ADD_FAILURE() << "the file was opened twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Transient);
      EXPECT_NE(error.message().find(pid), std::string::npos) << error.message();
      EXPECT_FALSE(error.advice().empty());
    }
    EXPECT_NE(check().find(pid), std::string::npos);
    try {
      inspect_warehouse(target_->settings(), test_origin());
      ADD_FAILURE() << "the file was opened twice";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Transient);
    }
  }
  EXPECT_EQ(check(), "");
  EXPECT_EQ(warehouse_->load(batch, {}).rows, 1U);
}

TEST_P(DuckdbFile, IsClosedBetweenLoads) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  const LockHolder holder(path());
  EXPECT_FALSE(std::filesystem::exists(path() + ".wal"));
}

TEST_P(DuckdbFile, IsNotTakenForADatabaseWhenItIsNone) {
  std::ofstream(path()) << std::string(20000, 'x');
  warehouse_ = open();
  try {
    warehouse_->take_over(test_origin(), unknown_before(), {});
    ADD_FAILURE() << "a text file was taken over";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  }
  EXPECT_NE(check(), "");
}

TEST_P(DuckdbFile, ThatIsReplacedWhileRunningIsRefused) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  std::filesystem::remove(path());
  const StagedBatch batch = next_batch({});
  EXPECT_THROW(warehouse_->load(batch, {}), Error);
}

TEST_P(DuckdbFile, WithoutItsDirectoryIsExplained) {
  std::filesystem::remove_all(directory_);
  EXPECT_NE(check().find("does not exist"), std::string::npos);
  EXPECT_THROW(inspect_warehouse(target_->settings(), test_origin()), Error);
}

TEST_P(DuckdbFile, LargeRowsFitIntoASmallMemory) {
  LayerBuilder first(items());
  LayerBuilder second(items());
  first.create();
  for (int id = 0; id < 64; ++id) {
    first.insert({std::to_string(id), std::string(1 << 20, static_cast<char>('a' + id % 26))});
    second.replace({std::to_string(id)}, {std::to_string(id), std::string(1 << 20, 'z')});
  }
  load({first.build(directory_.string(), 16)});
  EXPECT_TRUE(load({second.build(directory_.string(), 16)}).set_aside.empty());
  EXPECT_EQ(select("SELECT count(*), min(length(a)), min(a[1]), max(a[1]) FROM shop.items"),
            Rows{"64|1048576|z|z"});
}

TEST_P(DuckdbFile, IsNotMadeByALook) {
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_P(DuckdbFile, ARowOfSixtyMegabytesFitsIntoHalfOf256) {
  use_memory(128ULL << 20U);
  const std::string large(60U << 20U, 'x');
  load({staged(LayerBuilder(items()).create().insert({"1", large}))});
  EXPECT_TRUE(load({staged(LayerBuilder(items()).replace({"1"}, {"2", large}))}).set_aside.empty());
  EXPECT_EQ(select("SELECT id, length(a) FROM shop.items"), Rows{"2|62914560"});
}

TEST_P(DuckdbFile, ATableThatNeedsMoreMemoryThanThereIsDoesNotStopTheOthers) {
  use_memory(16ULL << 20U);
  const TablePtr other = make_table(502, {"shop", "other"}, items()->columns);
  const LoadReport report =
      load({staged(LayerBuilder(items()).create().insert({"1", std::string(14U << 20U, 'x')})),
            staged(LayerBuilder(other).create().insert({"1", "x"}))});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].oid, 501U);
  EXPECT_NE(report.set_aside[0].reason.find("Raise batch.memory"), std::string::npos)
      << report.set_aside[0].reason;
  EXPECT_EQ(select("SELECT * FROM shop.other"), Rows{"1|x"});
}

TEST_P(DuckdbFile, ATableThatBreaksTheConnectionIsLeftOutOfTheNextTry) {
  const TablePtr other = make_table(502, {"shop", "other"}, items()->columns);
  load({staged(LayerBuilder(items()).create().insert({"1", "x"})),
        staged(LayerBuilder(other).create().insert({"1", "x"}))});
  WarehouseSettings settings = target_->settings();
  int broken = 0;
  settings.watch.begins = [&](std::string_view statement) {
    if (statement.starts_with("DELETE FROM \"warehouse\".\"shop\".\"items\"")) {
      ++broken;
      throw Error(ErrorKind::Table, "a bug");
    }
    if (statement == "ROLLBACK") {
      throw Error(ErrorKind::Transient, "the database has been invalidated");
    }
  };
  const auto warehouse = open_warehouse(settings, clock_);
  warehouse->take_over(test_origin(), unknown_before(), {});
  const StagedBatch batch = next_batch(
      {staged(LayerBuilder(items()).remove({"1"})), staged(LayerBuilder(other).remove({"1"}))});
  EXPECT_THROW(warehouse->load(batch, {}), Error);
  const LoadReport report = warehouse->load(batch, {});
  ASSERT_EQ(report.set_aside.size(), 1U);
  EXPECT_EQ(report.set_aside[0].reason, "a bug");
  EXPECT_EQ(broken, 1);
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x"});
  EXPECT_EQ(select("SELECT * FROM shop.other"), Rows{});
}

TEST_P(DuckdbFile, OnlyColumnsThatChangeAreWritten) {
  const TablePtr table = make_table(
      502, {"shop", "wide"},
      {key_column("id", bigint_type()), column("flag", type_of(16, "boolean")),
       column("whole", type_of(701, "double precision")), column("price", type_of(1700, "numeric")),
       column("at", type_of(1184, "timestamp with time zone")), column("a", text_type()),
       column("none", text_type())});
  const std::string time = "2026-11-29 14:00:00.5+00";
  LayerBuilder rows(table);
  rows.create();
  for (const char* id : {"1", "2", "3"}) {
    rows.insert({id, "t", "6", "5.20", time, "a", std::nullopt});
  }
  load({staged(rows)});
  WarehouseSettings settings = target_->settings();
  std::vector<std::string> updates;
  settings.watch.begins = [&](std::string_view statement) {
    if (statement.starts_with("UPDATE \"warehouse\".\"shop\"")) {
      updates.emplace_back(statement);
    }
  };
  warehouse_ = open_warehouse(settings, clock_);
  warehouse_->take_over(test_origin(), unknown_before(), {});
  const auto more = [&](const char* id) {
    return std::vector<std::optional<std::string>>{id,   "t",    "6",         "5.20",
                                                   time, "more", std::nullopt};
  };
  load({staged(LayerBuilder(table).replace({"1"}, more("1")))});
  load({staged(LayerBuilder(table).replace({"2"}, more("2")).replace({"3"}, more("3")))});
  ASSERT_EQ(updates.size(), 2U);
  for (const std::string& update : updates) {
    EXPECT_NE(update.find(" SET \"a\" = "), std::string::npos) << update;
    EXPECT_EQ(update.find(", \""), std::string::npos) << update;
  }
  EXPECT_EQ(select("SELECT DISTINCT COLUMNS(* EXCLUDE id) FROM shop.wide"),
            Rows{"true|6.0|5.20|2026-11-29 14:00:00.5+00|more|NULL"});
}

TEST_P(DuckdbFile, AnIndexOnATargetIsNamed) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"})),
        staged(LayerBuilder(make_table(502, {"shop", "grows"}, items()->columns)).create())});
  target_->execute("CREATE UNIQUE INDEX \"By id\" ON shop.items (id)");
  target_->execute("CREATE INDEX grows_a ON shop.grows (a)");
  Column added = column("b", text_type());
  added.missing = "m";
  const TablePtr wide =
      with_column(make_table(502, {"shop", "grows"}, items()->columns), std::move(added));
  const LoadReport report = load({staged(LayerBuilder(items()).replace({"1"}, {"1", "y"})),
                                  staged(LayerBuilder(wide).add_column("b"))});
  EXPECT_EQ(report.set_aside.size(), 2U);
  EXPECT_NE(state_of("items").find("drop index \"By id\""), std::string::npos) << state_of("items");
  EXPECT_NE(state_of("grows").find("drop index \"grows_a\""), std::string::npos);
  EXPECT_EQ(select("SELECT count(*) FROM duckdb_indexes()"), Rows{"2"});
}

TEST_P(DuckdbFile, AnIndexOnATargetIsNamedAtTheStart) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  target_->execute("CREATE INDEX items_a ON shop.items (a)");
  warehouse_ = open();
  EXPECT_EQ(warehouse_->take_over(test_origin(), unknown_before(), {}).tables.at(0).state,
            TableState::SetAside);
  EXPECT_NE(state_of("items").find("drop index \"items_a\""), std::string::npos);
}

TEST_P(DuckdbFile, NamesThatDifferInCapitalsAreExplained) {
  const TablePtr table = make_table(502, {"shop", "capitals"},
                                    {key_column("id", bigint_type()), column("ID", text_type())});
  const TablePtr own = make_table(503, {"Re_DMS", "tables"}, items()->columns);
  const TablePtr empty = make_table(504, {"shop", "empty"}, {});
  const LoadReport report =
      load({staged(LayerBuilder(table).create()), staged(LayerBuilder(own).create()),
            staged(LayerBuilder(empty).create()), staged(LayerBuilder(items()).create())});
  EXPECT_EQ(report.set_aside.size(), 3U);
  EXPECT_NE(state_of("capitals").find("only in letter case"), std::string::npos);
  EXPECT_NE(state_of("tables").find("re_dms's own"), std::string::npos);
  EXPECT_NE(state_of("empty").find("without columns"), std::string::npos);
  EXPECT_EQ(state_of("items"), "live|NULL");
}

TEST_P(DuckdbFile, IsTheOneThatItsLinkLeadsTo) {
  const std::filesystem::path real = directory_ / "data" / "real.duckdb";
  std::filesystem::create_directory(real.parent_path());
  std::filesystem::create_symlink("data/real.duckdb", path());
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_TRUE(std::filesystem::is_regular_file(real));
  EXPECT_EQ(select("SELECT id FROM shop.items"), Rows{"1"});
}

TEST_P(DuckdbFile, LookingIntoItMakesNoDirectory) {
  taken();
  std::filesystem::remove_all(target_->settings().temporary_directory);
  EXPECT_EQ(check_warehouse(target_->settings()), "");
  EXPECT_FALSE(std::filesystem::exists(target_->settings().temporary_directory));
}

TEST_P(DuckdbFile, WhatAKilledProcessSpilledIsRemoved) {
  const std::filesystem::path spilled = target_->settings().temporary_directory;
  std::filesystem::create_directories(spilled);
  std::ofstream(spilled / "duckdb_temp_storage_DEFAULT-0.tmp") << "left";
  EXPECT_EQ(spilled_bytes(target_->settings()), 4U);
  taken();
  EXPECT_EQ(spilled_bytes(target_->settings()), 0U);
  EXPECT_FALSE(std::filesystem::exists(spilled / "duckdb_temp_storage_DEFAULT-0.tmp"));
}

}  // namespace
}  // namespace re_dms::testing::duckdb_warehouse_test
