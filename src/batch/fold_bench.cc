// Cost of one folded row: message to net row, as the daemon does it.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "batch/batcher.h"
#include "batch/testing/stream_builder.h"

namespace re_dms {
namespace {

constexpr Oid kTable = 16384;
constexpr std::size_t kRows = 10'000;
constexpr std::uint64_t kFrom = 1000;

/// Takes layers and frees them.
class NullSink final : public BatchSink {
 public:
  void layer(Layer&& layer) override { const Layer taken = std::move(layer); }

  void seal(const BatchSpan&, std::vector<SetAside>) override {}

  void drop() override {}
};

TableSchema bench_table() {
  return text_table(kTable, "bench", {"id", "a", "b", "c", "d", "e", "f", "g", "h", "i"});
}

/// About 230 bytes in ten columns.
Cells bench_row(std::size_t id) {
  Cells row{fmt::format("{}", id)};
  for (std::size_t column = 1; column < 10; ++column) {
    row.emplace_back(fmt::format("value {:013}", id * column));
  }
  return row;
}

/// Feeds transactions of ready-made rows, one per iteration; a millisecond of 10 000 rows is 100 ns
/// a row.
class Feed {
 public:
  explicit Feed(BatchLimits limits) : batcher(limits, Lsn{kFrom}, {{bench_table(), true}}, sink) {
    batcher.consume(StreamBuilder().relation_in_force(bench_table()).unit(UnitKind::Facts));
  }

  void transaction(const std::string& rows) {
    next_ += 100;
    StreamBuilder begin;
    begin.begin(Lsn{next_ - 10});
    records_ = begin.bytes();
    records_ += rows;
    begin.clear();
    begin.commit(Lsn{next_});
    records_ += begin.bytes();
    batcher.consume({UnitKind::Transaction, records_});
  }

  NullSink sink;
  Batcher batcher;

 private:
  std::uint64_t next_ = kFrom;
  std::string records_;
};

void report(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(kRows));
}

void inserts(benchmark::State& state) {
  std::vector<std::string> transactions;
  for (std::size_t part = 0; part < 30; ++part) {
    StreamBuilder rows;
    for (std::size_t i = 0; i < kRows; ++i) {
      rows.insert(kTable, bench_row(part * kRows + i));
    }
    transactions.push_back(rows.bytes());
  }
  Feed feed({1U << 30, 64U << 20});
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (next == transactions.size()) {
      feed.batcher.seal();
      next = 0;
    }
    feed.transaction(transactions[next++]);
  }
  report(state);
}

void hot_updates(benchmark::State& state) {
  StreamBuilder rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    rows.update(kTable, bench_row(i * 7919 % kRows));
  }
  Feed feed({1U << 30, 64U << 20});
  for ([[maybe_unused]] auto _ : state) {
    feed.transaction(rows.bytes());
  }
  report(state);
}

void masked_updates(benchmark::State& state) {
  StreamBuilder inserted;
  StreamBuilder updated;
  for (std::size_t i = 0; i < kRows; ++i) {
    Cells row = bench_row(i);
    row[9] = Cell(std::string(8192, 'x'));
    inserted.insert(kTable, row);
    row[9] = kUnchanged;
    updated.update(kTable, row);
  }
  Feed feed({1U << 30, 64U << 20});
  feed.transaction(inserted.bytes());
  for ([[maybe_unused]] auto _ : state) {
    feed.transaction(updated.bytes());
  }
  report(state);
}

BENCHMARK(inserts)->Unit(benchmark::kMillisecond);
BENCHMARK(hot_updates)->Unit(benchmark::kMillisecond);
BENCHMARK(masked_updates)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace re_dms
