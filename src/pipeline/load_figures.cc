#include "pipeline/load_figures.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace re_dms {

namespace {

std::string_view kind_text(BatchKind kind) {
  switch (kind) {
    case BatchKind::Stream:
      return "stream";
    case BatchKind::Copy:
      return "copy";
    case BatchKind::CatchUp:
    case BatchKind::Join:
      break;
  }
  return "catch-up";
}

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// Words of the reasons that are given for a copy, the most telling first.
constexpr auto kCauses = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"publication", "publication"},
    {"published", "publication"},
    {"may not be in the stream", "publication"},
    {"were staged", "rows"},
    {"target", "target"},
    {"column", "schema"},
    {"renamed", "schema"},
    {"catalog", "schema"},
    {"key", "schema"},
});

}  // namespace

std::string_view heal_cause(std::string_view reason) {
  for (const auto& [word, cause] : kCauses) {
    if (reason.find(word) != std::string_view::npos) {
      return cause;
    }
  }
  return "other";
}

/// Totals are there from the start, as 0, so that the first of each is seen to be one.
LoadFigures::LoadFigures(Metrics& metrics) : metrics_(metrics) {
  metrics_.counter("re_dms_rows_not_there_total");
  metrics_.counter("re_dms_values_adjusted_total");
  metrics_.counter("re_dms_rows_folded_away_total");
  for (const std::string_view of : {"source", "stage", "warehouse", "copy"}) {
    metrics_.counter("re_dms_retries_total", of);
  }
  for (const std::string_view cause : {"schema", "publication", "rows", "target", "other"}) {
    metrics_.counter("re_dms_heals_total", cause);
  }
}

void LoadFigures::written(BatchKind kind, const StagedFile& file) {
  const std::string_view what = kind_text(kind);
  metrics_.counter("re_dms_rows_staged_total", what).Increment(static_cast<double>(file.rows));
  metrics_.counter("re_dms_staged_csv_bytes_total", what)
      .Increment(static_cast<double>(file.csv_bytes));
  metrics_.counter("re_dms_uploaded_bytes_total", what)
      .Increment(static_cast<double>(file.stored_bytes));
  metrics_.counter("re_dms_staged_files_total", what).Increment();
}

void LoadFigures::loaded(const StagedBatch& batch, const LoadReport& report, SteadyTime began) {
  if (batch.kind == BatchKind::Stream) {
    count_stream(batch, report, began);
  }
  count_tables(batch, report);
}

void LoadFigures::count_stream(const StagedBatch& batch, const LoadReport& report,
                               SteadyTime began) {
  const SteadyTime now = real_clock().steady();
  const auto step = [&](std::string_view name, SteadyTime from, SteadyTime to) {
    metrics_.histogram("re_dms_batch_step_seconds", name).Observe(seconds_between(from, to));
  };
  step("stage", batch.sealed_at, batch.staged_at);
  step("wait", batch.staged_at, began);
  step("load", began, now);
  std::uint64_t received = 0;
  std::uint64_t net = 0;
  for (const StagedLayer& layer : batch.layers) {
    if (report.loaded.contains(layer.table->oid)) {
      received += layer.received;
      net += layer.counts.rows();
    }
  }
  metrics_.histogram("re_dms_batch_changes").Observe(static_cast<double>(batch.span.changes));
  metrics_.counter("re_dms_rows_folded_away_total")
      .Increment(static_cast<double>(received - std::min(received, net)));
  if (batch.span.transactions > 0) {
    const auto age = real_clock().now() - batch.span.first_commit;
    metrics_.histogram("re_dms_commit_to_visible_seconds")
        .Observe(std::max(0.0, std::chrono::duration<double>(age).count()));
  }
}

void LoadFigures::count_tables(const StagedBatch& batch, const LoadReport& report) {
  for (const StagedLayer& layer : batch.layers) {
    const bool has_rows = layer.received > 0 || layer.counts.rows() > 0;
    if (!report.loaded.contains(layer.table->oid) || !has_rows) {
      continue;
    }
    const std::string table = metrics_.table_label(to_string(layer.table->name));
    std::uint64_t stored = 0;
    std::uint64_t csv = 0;
    for (const StagedFile& file : layer.files) {
      stored += file.stored_bytes;
      csv += file.csv_bytes;
    }
    if (!layer.copy) {
      metrics_.counter("re_dms_table_changes_total", table)
          .Increment(static_cast<double>(layer.received));
    }
    metrics_.counter("re_dms_table_rows_loaded_total", table)
        .Increment(static_cast<double>(layer.counts.rows()));
    metrics_.counter("re_dms_table_staged_bytes_total", table)
        .Increment(static_cast<double>(stored));
    metrics_.counter("re_dms_table_csv_bytes_total", table).Increment(static_cast<double>(csv));
  }
  for (const RowsNotThere& table : report.not_there) {
    metrics_.counter("re_dms_rows_not_there_total").Increment(static_cast<double>(table.rows));
  }
  for (const ColumnAdjusted& column : report.adjusted) {
    const auto values = static_cast<double>(column.values);
    metrics_.counter("re_dms_values_adjusted_total").Increment(values);
    metrics_
        .counter("re_dms_table_values_adjusted_total",
                 metrics_.table_label(to_string(column.table)))
        .Increment(values);
  }
}

void LoadFigures::retried(std::string_view of) {
  metrics_.counter("re_dms_retries_total", of).Increment();
}

void LoadFigures::healed(std::string_view reason) {
  metrics_.counter("re_dms_heals_total", heal_cause(reason)).Increment();
}

void LoadFigures::ran(std::string_view statement, std::chrono::microseconds took) {
  metrics_.histogram("re_dms_statement_seconds", statement_kind(statement))
      .Observe(std::chrono::duration<double>(took).count());
}

}  // namespace re_dms
