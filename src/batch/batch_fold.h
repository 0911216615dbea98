// All tables of the open batch: sends each record to the fold of its table, starts layers where the
// shape of a table changes, and sets tables aside that cannot go on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch_limits.h"
#include "batch/table_fold.h"
#include "batch/table_roster.h"
#include "model/batch.h"
#include "model/journal_unit.h"

namespace re_dms {

/// Knows nothing of where batches end: that is the Batcher's.
class BatchFold {
 public:
  /// `start`: where reading starts. `sink` outlives the fold.
  BatchFold(const BatchLimits& limits, Lsn start, const std::vector<KnownTable>& known,
            Unknown unknown, BatchSink& sink)
      : row_bytes_max_(limits.row_bytes_max),
        roster_(start, known, unknown, limits.types),
        sink_(sink) {
    add_tables();
  }

  /// Folds one record of the transaction with this commit_lsn; Begin and Commit are the caller's.
  /// Of a table whose position is beyond it, only facts are remembered.
  void fold(const RecordView& record, Lsn commit_lsn);

  /// Remembers a record's facts and ignores its rows: for records before the position where reading
  /// starts.
  void pass(const RecordView& record) { note(record, Lsn{}); }

  /// Decides what the facts that came since the last call mean: new tables are created or set
  /// aside, shapes changed. Facts that were passed over wait for the table's first row, if it is
  /// live.
  void settle();

  /// Whether the facts in these records change the shape of a live table; they stand in or before
  /// the transaction with this commit_lsn.
  bool would_change(std::string_view records, Lsn commit_lsn) const;

  /// Skips this table from now on without reporting it: the target knows.
  void skip(Oid oid);

  /// What is known of a table at the end of a batch; nothing for one that is skipped.
  std::optional<RosterEntry> entry(Oid oid) const;

  /// As TableRoster::join, at the end of a batch.
  void join(RosterEntry entry);

  /// Some layer has work, was handed on in this batch, or a table was set aside.
  bool has_work() const;

  /// Hands all layers with work to the sink, in the order they were begun; new ones start empty.
  void hand_on();

  /// The batch ends: what was set aside in it, in order, with the tables' own positions; counting
  /// starts anew.
  std::vector<SetAside> end_batch();

  /// Keeps all that a transaction may change, for undo(). The open batch holds no rows.
  void remember();

  /// Undoes everything since remember(), except for skip() and what the catalog said: tables that
  /// it made known are created when the transaction comes again.
  void undo();

  /// The transaction is committed: nothing to undo any more.
  void forget() {
    start_.reset();
    roster_.forget();
  }

  std::size_t memory_bytes() const { return memory_bytes_; }

  /// Row changes of live tables in this batch.
  std::uint64_t changes() const { return changes_; }

 private:
  struct OpenLayer {
    std::size_t table = 0;  // in the roster
    std::unique_ptr<TableFold> fold;
  };

  struct Start {
    struct LayerStart {
      std::size_t table = 0;
      TablePtr shape;
      std::vector<SchemaChange> changes;
    };

    std::vector<LayerStart> layers;
    std::vector<SetAside> set_aside;
    std::vector<Oid> skipped;
    std::uint64_t changes = 0;
    bool handed_on = false;
  };

  void fold_row(std::string_view message, Lsn commit_lsn);
  void truncate(const pgoutput::Truncate& message);
  void drop_rows(std::size_t table);
  void note_rows(std::size_t table);
  void note(const RecordView& record, Lsn at);
  void add_tables();
  TableFold* fold_of(Oid oid);
  void settle(std::size_t table, Cause cause);
  bool prove(const TableFold& fold, std::string_view message);
  void check_has_relation(const RosterEntry& entry) const;
  TableFold& start_layer(std::size_t table, const TablePtr& shape,
                         std::vector<SchemaChange> changes);
  void set_aside(std::size_t table, std::string reason, Remedy remedy = Remedy::Person);
  void discard(std::size_t table);
  void discard_all();

  void count_memory(std::size_t before, std::size_t after) { memory_bytes_ += after - before; }

  std::size_t row_bytes_max_;
  TableRoster roster_;
  BatchSink& sink_;
  std::vector<OpenLayer> layers_;    // in the order they were begun
  std::vector<TableFold*> current_;  // by roster index: the last of the table's layers, or null
  Lsn at_;                           // commit_lsn of the transaction, or where facts stand
  std::vector<SetAside> set_aside_;
  std::optional<Start> start_;
  std::size_t memory_bytes_ = 0;
  std::uint64_t changes_ = 0;
  bool handed_on_ = false;
};

}  // namespace re_dms
