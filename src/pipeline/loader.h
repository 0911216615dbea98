// The lane: takes staged batches in order and loads them, one target transaction each.
#pragma once

#include <stop_token>

#include "base/bounded_queue.h"
#include "base/retry.h"
#include "journal/journal_writer.h"
#include "model/staged_batch.h"
#include "pipeline/run_state.h"
#include "pipeline/staging_slots.h"
#include "stage/object_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// What the lane works with; everything outlives it.
struct LaneWiring {
  Warehouse& warehouse;
  ObjectStore& store;
  StagingSlots& slots;
  JournalWriter& journal;
  RunState& state;
  BoundedQueue<Oid>& failed_tables;  ///< tables set aside by a load, for the fold
};

class Loader {
 public:
  explicit Loader(LaneWiring wiring) : wiring_(wiring) {}

  /// Until stop is requested, or the queue is closed and empty. A load that is running then is
  /// rolled back: the next start loads the same from the journal. After each load its files are
  /// removed, then the journal below it. While nothing waits, the journal is also released once a
  /// second: segments that a reader was still in, what the last run left, and attempts at a large
  /// transaction that were cut off, which no load ever passes.
  void run(BoundedQueue<StagedBatch>& staged, const std::stop_token& stop);

 private:
  void load(const StagedBatch& batch, const std::stop_token& stop);
  void finish(const StagedBatch& batch, const LoadReport& report);
  void release();
  void announce(const SetAside& table);

  LaneWiring wiring_;
};

}  // namespace re_dms
