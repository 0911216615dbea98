// Tables that are copied under one snapshot: what is read of them becomes batches of copied rows.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "batch/copied_rows.h"
#include "model/origin.h"
#include "pipeline/run_state.h"
#include "pipeline/staging_room.h"
#include "source/catalog/pattern.h"
#include "source/copy/snapshot_reader.h"
#include "source/settings.h"

namespace re_dms {

/// What copying works with; everything outlives it.
struct CopyWiring {
  const SourceSettings& source;
  const Origin& origin;
  StagingRoom& room;  ///< for copies
  RunState& state;
};

struct CopyLimits {
  std::size_t row_bytes_max = 64U << 20;
  std::size_t layer_bytes = 8U << 20;      ///< of one layer's memory; a worker fills one at a time
  std::size_t batch_bytes = 32U << 20;     ///< of layers loaded in one target transaction
  std::size_t rows_together = 1;           ///< as StageFormat has it
  std::size_t batch_tables = 500;          ///< that end in one
  std::size_t group_tables = 1000;         ///< under one snapshot
  std::uint64_t group_bytes = 4ULL << 30;  ///< under one snapshot, unless one table has more
  std::uint64_t range_bytes = 512U << 20;  ///< of a table's file, read by one session
  /// A snapshot holds back the source's VACUUM: no longer than this while the target takes nothing.
  std::chrono::minutes patience{5};
};

/// A table to be copied, as it was before the snapshot.
struct CopyCandidate {
  TableSize size;
  Publishing publication;
  std::uint64_t attempt = 0;
};

/// Used once, for one snapshot.
class CopyGroup {
 public:
  CopyGroup(const CopyWiring& wiring, const CopyLimits& limits,
            std::vector<CopyCandidate> candidates, std::stop_token stop);

  /// Takes a snapshot and hands in all rows; several sessions read at the same time. On return no
  /// session is left. Tables of which rows are missing wait for another copy, whatever becomes of
  /// this call. Throws where the group as a whole cannot be copied.
  void copy();

 private:
  struct Table {
    TableSize size;
    Publishing publication;
    std::uint64_t attempt = 0;
    TablePtr schema;
    InitialCopy initial_copy = InitialCopy::Auto;
    std::size_t ranges_left = 0;
    std::uint64_t steps = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes_read = 0;  ///< of its file, that no layer stands for yet
    bool done = false;             ///< its last layer is handed in, or a person has to do something
    std::string reason;            ///< why it is copied later
  };

  /// What one worker reads at a time.
  struct Task {
    Table* table = nullptr;
    PageRange pages;
    std::uint64_t bytes = 0;
  };

  /// What is read of a task.
  struct ReadSoFar {
    std::size_t rows = 0;
    std::size_t text_bytes = 0;
    std::uint64_t bytes_handed_in = 0;  ///< of the table's file
  };

  using Readers = std::vector<std::unique_ptr<SnapshotReader>>;

  void read_all(const Readers& readers);
  std::jthread watch_locks(const Readers& readers);
  void plan(SnapshotReader& reader);
  void plan(const CatalogTable& answer);
  void cut_into_ranges(Table& table);
  void work(SnapshotReader& reader);
  std::optional<Task> next_task();
  void copy(SnapshotReader& reader, const Task& task);
  void read_rows(SnapshotReader& reader, const Task& task);
  void hand_in(const Task& task, Layer layer, ReadSoFar& read, bool ends_range);
  bool fills_layer(const CopiedRows& rows) const;
  bool fills_batch() const;
  void wait_for_room();
  void check_worth(const Table& table) const;
  void fail(Table& table, const Error& error);
  void refuse(Table& table, std::string reason);
  void seal();
  void end(const std::string& reason);

  const CopyWiring& wiring_;
  const CopyLimits& limits_;
  const std::stop_token stop_;
  const TableSelection selection_;
  const TableRules rules_;
  Lsn position_;
  bool raw_text_ = false;
  std::atomic<bool> unwatched_{false};
  std::atomic<bool> gives_way_{false};  ///< its sessions do not end otherwise
  std::mutex mutex_;
  std::map<Oid, Table> tables_;
  TableMarks marks_;
  std::deque<Task> tasks_;
  std::vector<SetAside> refused_;
  std::size_t batch_layers_ = 0;
  std::size_t batch_bytes_ = 0;
  std::size_t batch_rows_ = 0;
  std::size_t batch_tables_ = 0;
};

}  // namespace re_dms
