// Tables of many columns, which take DuckDB's memory by the column, not by the row.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::wide_table_test {

namespace {

/// Twice as many as fit into the memory that the target is given for a load.
constexpr std::size_t kColumns = 500;
/// More than DuckDB keeps in a small first block.
constexpr int kRows = 2100;

class DuckdbWideTable : public WarehouseContract {
 protected:
  static TablePtr table() {
    std::vector<Column> columns = {key_column("id", bigint_type())};
    while (columns.size() < kColumns) {
      columns.push_back(column(fmt::format("c{}", columns.size()), bigint_type()));
    }
    return make_table(501, {"shop", "wide"}, std::move(columns));
  }

  static TextRow row(int id) { return TextRow(kColumns, std::to_string(id)); }

  /// All that a batch has for the table is in the target, not only for want of memory.
  void expect_loaded(const LayerBuilder& layer) {
    EXPECT_THAT(load({staged(layer)}).set_aside, ::testing::IsEmpty());
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbWideTable, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbWideTable, TakesRowsWhenItHoldsSome) {
  const TablePtr wide = table();
  LayerBuilder first(wide);
  first.create();
  for (int id = 0; id < kRows; ++id) {
    first.insert(row(id));
  }
  expect_loaded(first);
  expect_loaded(LayerBuilder(wide).insert(row(-1)));
  LayerBuilder changes(wide);
  for (int id = 0; id < 50; ++id) {
    TextRow values = row(7);
    values[0] = std::to_string(id);
    changes.update({std::to_string(id)}, std::string(kColumns, '1'), values);
  }
  expect_loaded(changes.replace({"60"}, row(-2)).remove({"61"}));
  EXPECT_EQ(select("SELECT count(*), count(*) FILTER (c499 = 7), min(c1) FROM shop.wide"),
            Rows{fmt::format("{}|50|-2", kRows)});
}

}  // namespace
}  // namespace re_dms::testing::wide_table_test
