// Loads that are asked to stop.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <stop_token>

#include "base/retry.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::stop_test {

namespace {

class DuckdbStop : public WarehouseContract {
 protected:
  static TablePtr items() {
    return make_table(501, {"shop", "items"},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }

  /// Something of every sort.
  StagedBatch changes() {
    LayerBuilder layer(items());
    for (int id = 0; id < 30; id += 3) {
      layer.remove({std::to_string(id)});
      layer.replace({std::to_string(id + 1)}, {std::to_string(id + 1), "b"});
      layer.update({std::to_string(id + 2)}, "01", {std::nullopt, "c"});
    }
    const TablePtr other = make_table(502, {"shop", "other"}, {key_column("id", bigint_type())});
    return next_batch({staged(layer), staged(LayerBuilder(other).create().insert({"1"}))});
  }

  void load_rows() {
    LayerBuilder layer(items());
    layer.create();
    for (int id = 0; id < 30; ++id) {
      layer.insert({std::to_string(id), "a"});
    }
    load({staged(layer)});
  }

  /// A warehouse whose statement number `stop_at`, counted from when `counts` is set, comes
  /// together with a request to stop.
  std::unique_ptr<Warehouse> stopped_at(int stop_at) {
    statements_ = 0;
    stop_ = std::stop_source();
    WarehouseSettings settings = target_->settings();
    settings.watch.begins = [this, stop_at](std::string_view statement) {
      last_ = statement;
      if (counts_ && ++statements_ == stop_at) {
        stop_.request_stop();
      }
    };
    return open_warehouse(settings, clock_);
  }

  bool counts_ = false;
  int statements_ = 0;
  std::string last_;
  std::stop_source stop_;
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbStop, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbStop, EndsAStatementThatWouldNotEnd) {
  std::stop_source stop;
  taken();
  duckdb::SessionSettings settings;
  settings.path = (directory_ / "warehouse.duckdb").string();
  settings.watch.begins = [&](std::string_view statement) {
    if (statement.find("range") != std::string_view::npos) {
      stop.request_stop();
    }
  };
  duckdb::Session session(settings, duckdb::FileAccess::ReadWrite, stop.get_token());
  EXPECT_THROW(session.query(sql("SELECT sum(a.range * b.range) FROM range(10000000) AS a, "
                                 "range(10000000) AS b")),
               Stopped);
  EXPECT_THROW(session.execute(sql("SELECT 1")), Stopped);
}

TEST_P(DuckdbStop, OfALoadLeavesTheFileAsItWasAndTheSameIsLoadedLater) {
  load_rows();
  const StagedBatch batch = changes();
  const Rows before = select("SELECT * FROM shop.items");
  int stop_at = 1;
  for (bool stopped = true; stopped; ++stop_at) {
    SCOPED_TRACE(fmt::format("statement {}", stop_at));
    counts_ = false;
    const auto warehouse = stopped_at(stop_at);
    warehouse->take_over(test_origin(), unknown_before(), {});
    counts_ = true;
    try {
      // What is asked to stop at its COMMIT or later comes to its end.
      ASSERT_TRUE(warehouse->load(batch, stop_.get_token()).set_aside.empty());
      stopped = false;
    } catch (const Stopped&) {
      ASSERT_EQ(select("SELECT * FROM shop.items"), before) << last_;
      ASSERT_EQ(state_of("items"), "live|NULL");
      // The same object goes on, as the retry of another engine might.
      if (stop_at % 5 == 0) {
        const Lsn from = open()->take_over(test_origin(), unknown_before(), {}).loaded;
        ASSERT_EQ(from, batch.span.from);
      }
    }
  }
  EXPECT_GT(stop_at, 12);
  EXPECT_EQ(select("SELECT count(*), count(*) FILTER (a = 'b'), count(*) FILTER (a = 'c'), "
                   "(SELECT count(*) FROM shop.other) FROM shop.items"),
            Rows{"20|10|10|1"});
}

TEST_P(DuckdbStop, OfALoadIsNoReasonToSetATableAside) {
  load_rows();
  const StagedBatch batch = changes();
  const auto warehouse = stopped_at(1 << 30);
  warehouse->take_over(test_origin(), unknown_before(), {});
  stop_.request_stop();
  EXPECT_THROW(warehouse->load(batch, stop_.get_token()), Stopped);
  const LoadReport report = warehouse->load(batch, {});
  EXPECT_TRUE(report.set_aside.empty());
  EXPECT_EQ(report.rows, 31U);
}

TEST_P(DuckdbStop, OfATakeOverChangesNothing) {
  load_rows();
  const std::uint64_t epoch = open()->take_over(test_origin(), unknown_before(), {}).epoch;
  counts_ = true;
  int stop_at = 1;
  for (bool stopped = true; stopped; ++stop_at) {
    SCOPED_TRACE(fmt::format("statement {}", stop_at));
    try {
      stopped_at(stop_at)->take_over(test_origin(), unknown_before(), stop_.get_token());
      stopped = false;
    } catch (const Stopped&) {
      ASSERT_EQ(select("SELECT epoch FROM re_dms.position"), Rows{std::to_string(epoch)}) << last_;
    }
  }
  EXPECT_GT(stop_at, 5);
  EXPECT_EQ(select("SELECT epoch FROM re_dms.position"), Rows{std::to_string(epoch + 1)});
}

}  // namespace
}  // namespace re_dms::testing::stop_test
