// The workers that write parts of layers as files, and the memory that layers may take until then:
// one pool for all that is staged.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "base/bounded_queue.h"
#include "base/byte_budget.h"
#include "base/retry.h"
#include "model/layer.h"
#include "model/staged_batch.h"
#include "stage/object_store.h"
#include "stage/stager.h"

namespace re_dms {

/// What is told of the store: each failed try, that a step that had failed is done, and each file
/// written. Empty ones are not called.
struct StagingNotes {
  Retry::OnError failed;
  std::function<void()> done;
  std::function<void(BatchKind, const StagedFile&)> written{};  ///< a file is in the store
};

struct StagingLimits {
  std::size_t part_bytes = 16U << 20;     ///< of tuples, per file
  std::size_t memory_bytes = 128U << 20;  ///< of layers that wait for their files
  /// With so much free in the store, or more, copied rows may lie there for a while.
  std::uint64_t ample_bytes = 8ULL << 30;
};

class StagingRoom;

/// A transaction that is staged before its end.
struct CutTransaction {
  std::uint32_t xid = 0;
  Lsn commit_lsn;
  std::atomic<std::uint64_t> staged_bytes{0};
};

class StagingPool {
 public:
  /// References outlive it, and so do the rooms that hand it parts.
  StagingPool(ObjectStore& store, StageNames names, StagingLimits limits, std::stop_token stop,
              StagingNotes notes);

  /// Until close() was called and all parts are written. Waits while the store is full, except for
  /// a transaction that is larger than the store: when no earlier batch will leave the store, its
  /// layers can never all be there. Then throws Fatal and names the transaction and its size.
  void run_worker(const std::stop_token& stop);

  /// Nothing more is handed in.
  void close() { jobs_.close(); }

 private:
  friend class StagingRoom;

  /// A layer shared by the workers that write its parts; its memory is given back with the last.
  struct SharedLayer {
    Layer layer;
    ByteBudget::Share share;
    std::shared_ptr<CutTransaction> cut;  // null: of an ordinary batch
  };

  struct PartJob {
    StagingRoom* room = nullptr;
    std::shared_ptr<const SharedLayer> layer;  // shared: the last of its parts frees the rows
    PartNumber number;
    PartRange range;
  };

  bool retry(const std::stop_token& stop, const std::function<void()>& step);

  ObjectStore& store_;
  StageNames names_;
  StagingLimits limits_;
  std::stop_token stop_;
  StagingNotes notes_;
  ByteBudget budget_;
  BoundedQueue<PartJob> jobs_;
  std::atomic<int> sealed_{0};  ///< batches of all rooms that leave the store when they are loaded
};

}  // namespace re_dms
