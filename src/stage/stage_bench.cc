// What staging a row costs: CSV alone, and CSV with gzip, on rows of ten columns and some 230
// bytes.
#include <benchmark/benchmark.h>

#include <random>

#include "stage/csv.h"
#include "stage/gzip.h"
#include "stage/testing/layer_samples.h"

namespace re_dms {
namespace {

constexpr std::size_t kRows = 20'000;

std::string words(std::minstd_rand& random, std::size_t size) {
  static constexpr const char* kWords[] = {"order", "shipped", "pending", "blue", "customer",
                                           "note",  "invoice", "return",  "gift", "express"};
  std::string text;
  while (text.size() < size) {
    text += kWords[random() % std::size(kWords)];
    text += ' ';
  }
  text.resize(size - 1);
  return text + '.';
}

/// Ten columns as an orders table has them; `quoted` puts a comma or JSON in three of them.
Layer sample_layer(RowOp op, bool quoted) {
  LayerSample sample(table_of({"id*", "customer", "created", "status", "price", "sku", "email",
                               "note", "address", "extra"}));
  std::minstd_rand random(7);
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::string id = std::to_string(1'000'000 + i);
    std::string extra = words(random, 40);
    if (quoted) {
      extra = R"({"a": "b", "count": 17, "tags": ["x"]})";
    }
    sample.add(
        op, {id},
        {id, std::to_string(random()), "2026-03-01 12:00:00.123456+00", "shipped", "129.95",
         "SKU-" + std::to_string(random()), "customer@example.com",
         words(random, 60) + (quoted ? ", and" : ""), quoted ? "1 Main St, Town" : "Town", extra});
  }
  return sample.take();
}

class Nowhere final : public ByteSink, public ObjectWriter {
 public:
  void take(std::string_view bytes) override { benchmark::DoNotOptimize(bytes.data()); }

  void append(std::string_view bytes) override { benchmark::DoNotOptimize(bytes.data()); }

  std::string finish() override { return {}; }
};

void report(benchmark::State& state, std::uint64_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
  state.counters["row_bytes"] = static_cast<double>(bytes) / kRows;
}

std::uint64_t write_rows(const Layer& layer, ByteSink& sink) {
  const bool inserts = layer.counts.rows() == layer.counts.inserts;
  CsvWriter csv(*layer.table, inserts ? LayerShape::Inserts : LayerShape::Changes, sink);
  for (std::size_t index = 0; index < layer.rows.size(); ++index) {
    csv.append(layer.row(index));
  }
  csv.finish();
  return csv.bytes();
}

void csv_only(benchmark::State& state, RowOp op, bool quoted) {
  const Layer layer = sample_layer(op, quoted);
  Nowhere nowhere;
  std::uint64_t bytes = 0;
  while (state.KeepRunning()) {
    bytes = write_rows(layer, nowhere);
  }
  report(state, bytes);
}

void csv_and_gzip(benchmark::State& state, RowOp op, bool quoted,
                  Compression compression = Compression::Fast) {
  const Layer layer = sample_layer(op, quoted);
  Nowhere nowhere;
  std::uint64_t stored = 0;
  while (state.KeepRunning()) {
    GzipStream gzip(nowhere, compression);
    write_rows(layer, gzip);
    gzip.finish();
    stored = gzip.bytes();
  }
  report(state, stored);
}

BENCHMARK_CAPTURE(csv_only, inserts, RowOp::Insert, false);
BENCHMARK_CAPTURE(csv_only, inserts_quoted, RowOp::Insert, true);
BENCHMARK_CAPTURE(csv_only, updates, RowOp::Update, false);
BENCHMARK_CAPTURE(csv_only, deletes, RowOp::Delete, false);
BENCHMARK_CAPTURE(csv_and_gzip, inserts, RowOp::Insert, false);
BENCHMARK_CAPTURE(csv_and_gzip, inserts_stored, RowOp::Insert, false, Compression::Stored);
BENCHMARK_CAPTURE(csv_and_gzip, inserts_quoted, RowOp::Insert, true);
BENCHMARK_CAPTURE(csv_and_gzip, updates, RowOp::Update, false);

}  // namespace
}  // namespace re_dms
