// Follows the journal's units and folds them into layers, batch after batch. Deterministic and
// single-threaded: the same units and the same calls of seal give the same layers, byte by byte.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/batch.h"
#include "model/journal_unit.h"
#include "model/lsn.h"
#include "model/table_schema.h"

namespace re_dms {

struct BatchLimits {
  std::size_t memory_bytes = 128U << 20;   ///< rows and indexes of the batch being filled
  std::size_t row_bytes_max = 64U << 20;   ///< a larger tuple sets its table aside
};

/// A table as the target has it at the position where reading starts.
struct KnownTable {
  TableSchema schema;
  bool live = true;  ///< false: set aside earlier, its rows are skipped
};

class Batcher {
 public:
  /// Transactions with commit_lsn < from are passed over. `sink` outlives the batcher.
  Batcher(BatchLimits limits, Lsn from, const std::vector<KnownTable>& known, BatchSink& sink);
  ~Batcher();

  /// Folds one unit. May hand layers to the sink and seal a batch: when memory is full at a commit,
  /// before a large transaction, before a transaction with schema changes. Throws Fatal on a stream
  /// that contradicts itself.
  void consume(const JournalUnit& unit);

  /// Something to load since the last seal.
  bool has_work() const;

  /// Inside a large transaction: seal must wait for its end.
  bool in_transaction() const;

  /// End of the last transaction or idle position consumed.
  Lsn position() const;

  /// Hands on all layers and ends the batch at position(). Not while in_transaction(). Seals also
  /// batches without work, as long as position() moved since the last seal; else does nothing.
  void seal();

  /// Skips this table's rows from now on, because its load failed.
  void set_aside(Oid table);

  std::size_t memory_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
