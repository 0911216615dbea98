// The lane: takes staged batches of all rooms as they come and loads them, one target transaction
// each.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/bounded_queue.h"
#include "base/retry.h"
#include "journal/journal_writer.h"
#include "model/staged_batch.h"
#include "pipeline/load_order.h"
#include "pipeline/run_state.h"
#include "pipeline/staging_room.h"
#include "stage/object_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// The rooms that staged batches come from.
struct StagingRooms {
  StagingRoom& stream;
  StagingRoom& catch_up;
  StagingRoom& copies;
};

/// What the lane works with; everything outlives it.
struct LaneWiring {
  Warehouse& warehouse;
  ObjectStore& store;
  StagingRooms rooms;
  JournalWriter& journal;
  RunState& state;
  /// Tables that a load did not take, for those who fold their changes.
  std::vector<BoundedQueue<Oid>*> failed_tables;
};

class Loader {
 public:
  explicit Loader(LaneWiring wiring) : wiring_(wiring) {}

  /// Until stop is requested, or the queue is closed and empty. A load that is running then is
  /// rolled back: the next start loads the same from the journal. After each load its files are
  /// removed, then the journal below it. While nothing waits, the journal is also released twice a
  /// second: segments that a reader was still in, what the last run left, and attempts at a large
  /// transaction that were cut off, which no load ever passes. Between two loads what people ask of
  /// tables is done, and between two tries of a load what makes tables leave: the next try goes on
  /// without them. While loading is paused, nothing is done. Copied rows that cannot be loaded come
  /// again behind what is there of the others.
  void run(BoundedQueue<StagedBatch>& staged, const std::stop_token& stop);

 private:
  using Wishes = std::vector<std::pair<Oid, Wish>>;

  void load(StagedBatch batch, const std::stop_token& stop);
  LoadReport load_once(StagedBatch& batch, const std::stop_token& stop);
  bool load_copy(StagedBatch& batch, const std::function<void()>& once);
  Retry target_retry();
  void grant_wishes(const std::stop_token& stop);
  bool grant(Wishes (TableStates::*take)(), const std::stop_token& stop);
  void finish(const StagedBatch& batch, const LoadReport& report);
  void note_tables(const StagedBatch& batch, const LoadReport& report);
  void note_adjusted(const LoadReport& report);
  void note_beginning(const StagedLayer& layer);
  void note_stream(const StagedBatch& batch, const LoadReport& report);
  StagingRoom& room_of(BatchKind kind) const;
  void release();
  void warn_of_let_go(Lsn loaded);
  void announce(const SetAside& table);
  void tell_readers(Oid table);

  LaneWiring wiring_;
  LoadOrder order_{real_clock()};
  Retry copies_ = target_retry();    ///< of copied rows
  std::vector<TableWish> granting_;  ///< taken, and not in the target yet
  bool warned_ = false;              ///< of a table that the journal will let go
};

}  // namespace re_dms
