#include "warehouse/testing/contract.h"

#include <fmt/format.h>
#include <unistd.h>

#include <limits>

namespace re_dms::testing {

ColumnType type_of(Oid oid, const std::string& name, std::int32_t typmod) {
  ColumnType type;
  type.oid = oid;
  type.base_oid = oid;
  type.typmod = typmod;
  type.base_typmod = typmod;
  type.name = name;
  return type;
}

ColumnType bigint_type() {
  return type_of(20, "bigint");
}

ColumnType text_type() {
  return type_of(25, "text");
}

Column column(const std::string& name, ColumnType type) {
  Column result;
  result.name = name;
  result.type = std::move(type);
  return result;
}

Column key_column(const std::string& name, ColumnType type) {
  Column result = column(name, std::move(type));
  result.key = true;
  result.not_null = true;
  return result;
}

TablePtr make_table(Oid oid, const QualifiedName& name, std::vector<Column> columns) {
  TableSchema table;
  table.oid = oid;
  table.name = name;
  table.columns = std::move(columns);
  std::int16_t attnum = 0;
  for (Column& column : table.columns) {
    column.attnum = ++attnum;
  }
  return std::make_shared<const TableSchema>(std::move(table));
}

TablePtr with_column(const TablePtr& table, Column column) {
  std::vector<Column> columns = table->columns;
  columns.push_back(std::move(column));
  return make_table(table->oid, table->name, std::move(columns));
}

TargetBefore unknown_before() {
  return {Lsn{std::numeric_limits<std::uint64_t>::max()}, false};
}

Origin test_origin() {
  Origin origin;
  origin.system_identifier = "7300000000000000001";
  origin.timeline = 1;
  origin.database = "app";
  origin.slot = "re_dms";
  origin.publication = "re_dms";
  origin.consistent_point = Lsn{1000};
  return origin;
}

WarehouseContract::WarehouseContract() {
  std::string pattern = (std::filesystem::temp_directory_path() / "re_dms_wh_XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  target_ = GetParam()(directory_.string());
}

WarehouseContract::~WarehouseContract() {
  warehouse_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::unique_ptr<Warehouse> WarehouseContract::open(const std::string& schema) {
  WarehouseSettings settings = target_->settings();
  settings.schema = schema;
  return open_warehouse(settings, clock_);
}

Warehouse& WarehouseContract::taken() {
  if (!warehouse_) {
    warehouse_ = open();
    warehouse_->take_over(test_origin(), unknown_before(), {});
  }
  return *warehouse_;
}

StagedBatch WarehouseContract::next_batch(std::vector<StagedLayer> layers) {
  StagedBatch batch;
  batch.span.number = ++batch_number_;
  batch.span.from = loaded_;
  batch.span.to = Lsn{loaded_.value + 100};
  batch.span.transactions = 2;
  batch.span.first_commit = clock_.now() - std::chrono::seconds(2);
  batch.span.last_commit = clock_.now() - std::chrono::seconds(1);
  batch.layers = std::move(layers);
  return batch;
}

LoadReport WarehouseContract::load(std::vector<StagedLayer> layers,
                                   std::vector<SetAside> set_aside) {
  Warehouse& warehouse = taken();
  StagedBatch batch = next_batch(std::move(layers));
  batch.set_aside = std::move(set_aside);
  LoadReport report = warehouse.load(batch, {});
  loaded_ = batch.span.to;
  return report;
}

std::string WarehouseContract::state_of(const std::string& table) {
  const Rows rows = select(
      fmt::format("SELECT state, reason FROM re_dms.tables WHERE source_table = '{}'", table));
  return rows.size() == 1 ? rows[0] : fmt::format("{} rows", rows.size());
}

}  // namespace re_dms::testing
