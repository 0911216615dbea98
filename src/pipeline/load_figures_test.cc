#include "pipeline/load_figures.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace re_dms::load_figures_test {
namespace {

std::uint64_t counted(Metrics& metrics, std::string_view kind) {
  return metrics.histogram("re_dms_statement_seconds", kind).Collect().histogram.sample_count;
}

TEST(StatementKind, IsWhatAStatementDoes) {
  EXPECT_EQ(statement_kind("COPY t FROM 's3://bucket/manifest'"), "copy");
  EXPECT_EQ(statement_kind("INSERT INTO t SELECT * FROM read_csv(['a.csv.gz'])"), "copy");
  EXPECT_EQ(statement_kind("INSERT INTO t SELECT * FROM staged"), "merge");
  EXPECT_EQ(statement_kind("DELETE FROM t USING staged"), "merge");
  EXPECT_EQ(statement_kind("COMMIT"), "commit");
  EXPECT_EQ(statement_kind("LOCK t"), "lock");
  EXPECT_EQ(statement_kind("SELECT 1"), "other");
}

TEST(LoadFigures, CountStatementsByWhatTheyDo) {
  Metrics metrics;
  LoadFigures figures(metrics);
  figures.ran("INSERT INTO t VALUES (1)", std::chrono::milliseconds(5));
  std::thread([&figures] { figures.ran("COMMIT", std::chrono::seconds(2)); }).join();
  EXPECT_EQ(counted(metrics, "merge"), 1U);
  EXPECT_EQ(counted(metrics, "commit"), 1U);
  EXPECT_EQ(counted(metrics, "copy"), 0U);
}

TEST(LoadFigures, TellCausesOfCopiesApart) {
  EXPECT_EQ(heal_cause("column \"total\" is no longer in the stream"), "schema");
  EXPECT_EQ(heal_cause("the table was renamed from public.a to public.b"), "schema");
  EXPECT_EQ(heal_cause("it is no longer in the publication; changes made in the meantime may not "
                       "be in the stream (seen in the source before 0/1)"),
            "publication");
  EXPECT_EQ(heal_cause("rows came for a table that was never created in the target"), "target");
  EXPECT_EQ(heal_cause("deleting 1 rows where 2 were staged; the target is not the copy it should "
                       "be, or somebody changed it"),
            "rows");
  EXPECT_EQ(heal_cause("nobody knows"), "other");
}

StagedBatch batch_of(std::uint64_t received, std::uint64_t net) {
  auto table = std::make_shared<TableSchema>();
  table->oid = 7;
  table->name = {"public", "t"};
  StagedLayer layer;
  layer.table = table;
  layer.received = received;
  layer.counts.inserts = net;
  layer.files.push_back({"a", net, 100, 40});
  StagedBatch batch;
  batch.span.transactions = 1;
  batch.span.changes = received;
  batch.span.first_commit = real_clock().now();
  batch.layers.push_back(layer);
  return batch;
}

LoadReport loaded_report() {
  LoadReport report;
  report.loaded = {7};
  return report;
}

TEST(LoadFigures, CountWhatFoldingSavedAndEachTable) {
  Metrics metrics;
  LoadFigures figures(metrics);
  figures.loaded(batch_of(10, 4), loaded_report(), real_clock().steady());
  EXPECT_EQ(metrics.counter("re_dms_rows_folded_away_total").Value(), 6);
  EXPECT_EQ(metrics.counter("re_dms_table_changes_total", "public.t").Value(), 10);
  EXPECT_EQ(metrics.counter("re_dms_table_rows_loaded_total", "public.t").Value(), 4);
  EXPECT_EQ(metrics.counter("re_dms_table_csv_bytes_total", "public.t").Value(), 100);
  EXPECT_EQ(metrics.counter("re_dms_table_staged_bytes_total", "public.t").Value(), 40);
}

TEST(LoadFigures, ATableThatTheLoadPassedOverIsNotCounted) {
  Metrics metrics;
  LoadFigures figures(metrics);
  // It was paused meanwhile: it is neither loaded nor set aside.
  figures.loaded(batch_of(10, 4), {}, real_clock().steady());
  EXPECT_EQ(metrics.counter("re_dms_table_changes_total", "public.t").Value(), 0);
  EXPECT_EQ(metrics.counter("re_dms_rows_folded_away_total").Value(), 0);
}

TEST(LoadFigures, ATableThatFailedIsNotCounted) {
  Metrics metrics;
  LoadFigures figures(metrics);
  LoadReport report;
  report.set_aside.push_back({7, {"public", "t"}, "why", {}});
  report.adjusted.push_back({{"public", "u"}, "n", "why", 3});
  report.not_there.push_back({{"public", "u"}, 2});
  figures.loaded(batch_of(10, 4), report, real_clock().steady());
  EXPECT_EQ(metrics.counter("re_dms_table_rows_loaded_total", "public.t").Value(), 0);
  EXPECT_EQ(metrics.counter("re_dms_values_adjusted_total").Value(), 3);
  EXPECT_EQ(metrics.counter("re_dms_table_values_adjusted_total", "public.u").Value(), 3);
  EXPECT_EQ(metrics.counter("re_dms_rows_not_there_total").Value(), 2);
}

}  // namespace
}  // namespace re_dms::load_figures_test
