// What every engine has to do, as tests against the Warehouse interface. An engine joins by
// instantiating WarehouseContract with a factory of its TestTarget.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/testing/staged_files.h"
#include "warehouse/warehouse.h"

namespace re_dms::testing {

/// A fresh target of one engine, and what a person can do with it. Used only while no call of its
/// Warehouse runs.
class TestTarget {
 public:
  virtual ~TestTarget() = default;
  virtual WarehouseSettings settings() const = 0;
  /// Rows of a SELECT, columns joined by '|', NULL as "NULL", sorted.
  virtual std::vector<std::string> select(const std::string& query) = 0;
  virtual void execute(const std::string& statement) = 0;
};

using TargetFactory = std::unique_ptr<TestTarget> (*)(const std::string& directory);

/// Stands still until it is moved.
class TestClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }

  SteadyTime steady() const override { return steady_; }

  void advance(std::chrono::microseconds by) {
    now_ += by;
    steady_ += by;
  }

 private:
  SystemTime now_{std::chrono::sys_days(std::chrono::year(2026) / 5 / 1)};
  SteadyTime steady_{};
};

// Types by their oids in PostgreSQL.
ColumnType bigint_type();
ColumnType text_type();
ColumnType type_of(Oid oid, const std::string& name, std::int32_t typmod = -1);

Column key_column(const std::string& name, ColumnType type);
Column column(const std::string& name, ColumnType type);
TablePtr make_table(Oid oid, const QualifiedName& name, std::vector<Column> columns);
/// A copy of `table` with one more column.
TablePtr with_column(const TablePtr& table, Column column);

Origin test_origin();
/// A daemon that knows nothing of the target; its journal reaches beyond all positions.
TargetBefore unknown_before();

class WarehouseContract : public ::testing::TestWithParam<TargetFactory> {
 public:
  WarehouseContract(const WarehouseContract&) = delete;
  WarehouseContract& operator=(const WarehouseContract&) = delete;

 protected:
  WarehouseContract();
  ~WarehouseContract() override;

  /// A new warehouse object for the target.
  std::unique_ptr<Warehouse> open(const std::string& schema = {});
  /// A warehouse object that took the target over.
  Warehouse& taken();
  /// Loads layers as the next batch; its commit times are one second apart.
  LoadReport load(std::vector<StagedLayer> layers, std::vector<SetAside> set_aside = {});
  StagedBatch next_batch(std::vector<StagedLayer> layers);

  StagedLayer staged(const LayerBuilder& builder) { return builder.build(directory_.string()); }

  std::vector<std::string> select(const std::string& query) { return target_->select(query); }

  /// State and reason of a table, as people see it: "live|NULL".
  std::string state_of(const std::string& table);

  std::filesystem::path directory_;
  TestClock clock_;
  std::unique_ptr<TestTarget> target_;
  std::unique_ptr<Warehouse> warehouse_;
  Lsn loaded_{1000};
  std::uint64_t batch_number_ = 0;
};

/// What happens to tables, apart from what their rows do: a suite of its own, as it takes long.
class TableContract : public WarehouseContract {};

using Rows = std::vector<std::string>;

}  // namespace re_dms::testing
