// One batcher with a recording sink, fed with transactions at made-up positions.
#pragma once

#include <string>
#include <vector>

#include "batch/batcher.h"
#include "batch/testing/stream_builder.h"
#include "batch/testing/target_model.h"

namespace re_dms {

/// Transactions are 100 bytes of WAL each, COMMIT records 10: the first commits at 1090 and ends at
/// 1100. Relations of the known tables come first.
class FoldRun {
 public:
  static constexpr Lsn kFrom{1000};

  explicit FoldRun(const std::vector<TableSchema>& tables, BatchLimits limits = {})
      : FoldRun(limits, known(tables)) {}

  FoldRun(BatchLimits limits, const std::vector<KnownTable>& tables)
      : batcher(limits, kFrom, tables, sink) {
    StreamBuilder facts;
    for (const KnownTable& table : tables) {
      facts.relation_in_force(table.schema);
    }
    feed(facts, UnitKind::Facts);
  }

  static std::vector<KnownTable> known(const std::vector<TableSchema>& tables) {
    std::vector<KnownTable> known_tables;
    for (const TableSchema& table : tables) {
      known_tables.push_back({table, true});
    }
    return known_tables;
  }

  void feed(const StreamBuilder& records, UnitKind kind) { batcher.consume(records.unit(kind)); }

  /// `fill(StreamBuilder&)` adds what the transaction does.
  template <typename F>
  void transaction(F fill) {
    StreamBuilder records;
    next += 100;
    records.begin(Lsn{next - 10}, SystemTime(std::chrono::microseconds(next)));
    fill(records);
    records.commit(Lsn{next});
    feed(records, UnitKind::Transaction);
  }

  /// One part of a large transaction; FirstPart gets a Begin, LastPart a Commit.
  template <typename F>
  void part(UnitKind kind, F fill) {
    next += kind == UnitKind::FirstPart ? 100 : 0;
    StreamBuilder records;
    records.begin(Lsn{next - 10});
    if (kind != UnitKind::FirstPart) {
      records.clear();
    }
    fill(records);
    if (kind == UnitKind::LastPart) {
      records.commit(Lsn{next});
    }
    feed(records, kind);
  }

  /// The connection was cut: the same transaction will come again.
  void abort() {
    batcher.consume({UnitKind::Abort, {}});
    next -= 100;
  }

  /// Seals; what the new batch holds, "nothing" when none was made.
  std::string seal() {
    const std::size_t before = sink.batches.size();
    batcher.seal();
    return sink.batches.size() == before ? "nothing" : describe_changes(last().layers);
  }

  const SealedBatch& last() const { return sink.batches.back(); }

  RecordingSink sink;
  Batcher batcher;
  std::uint64_t next = kFrom.value;
};

}  // namespace re_dms
