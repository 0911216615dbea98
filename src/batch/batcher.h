// Follows the journal's units and folds them into layers, batch after batch. Deterministic and
// single-threaded: the same units and the same calls of seal and set_aside give the same layers,
// byte by byte.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "batch/batch_limits.h"
#include "batch/table_roster.h"
#include "model/batch.h"
#include "model/journal_unit.h"
#include "model/lsn.h"

namespace re_dms {

/// A table that cannot go on is set aside at the `from` of the open batch, or at its own position
/// if that is beyond it: all its layers of that batch are discarded, and those that a large
/// transaction already handed to the sink are void, because the target skips them when the seal
/// names the table. So what the target keeps is the table at a commit.
class Batcher {
 public:
  /// Transactions with commit_lsn < from are passed over, and of a table those below its position.
  /// `sink` outlives the batcher.
  Batcher(BatchLimits limits, Lsn from, const std::vector<KnownTable>& known, BatchSink& sink,
          Unknown unknown = Unknown::Meet);
  ~Batcher();

  /// Nothing that comes is before `position`. Facts before the batcher's own start are passed over,
  /// those at it are not; this tells them apart before any position comes.
  void begin_at(Lsn position);

  /// Folds one unit. May hand layers to the sink and seal a batch: when memory is full at a commit,
  /// before a large transaction, before a transaction with schema changes. Throws Fatal on a stream
  /// that contradicts itself.
  void consume(const JournalUnit& unit);

  /// Something to load or to report since the last seal.
  bool has_work() const;

  /// Inside a large transaction: seal must wait for its end.
  bool in_transaction() const;

  /// Something at or beyond its own start came: what comes now is folded, not passed over.
  bool has_begun() const;

  /// End of the last transaction or idle position consumed.
  Lsn position() const;

  /// Hands on all layers and ends the batch at position(). Not while in_transaction(). Seals also
  /// batches without work; does nothing while position() has not moved since the last seal, because
  /// the target tells batches apart by where they end.
  void seal();

  /// Skips this table's rows from now on, because its load failed; not reported in a seal.
  void set_aside(Oid table);

  /// Tables that another batcher of the same journal followed up to the unit at which this one
  /// stands are followed from here on. Right after a seal.
  void join(std::vector<RosterEntry> tables);

  /// What is known of these tables, for another batcher's join; those that are skipped are left
  /// out. There must be no work.
  std::vector<RosterEntry> hand_over(const std::vector<Oid>& tables) const;

  std::size_t memory_bytes() const;

  /// Row changes of live tables since the last seal.
  std::uint64_t changes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
