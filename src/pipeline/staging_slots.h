// Where folded layers become staged batches: the fold's sink, the parts that workers write, and the
// assembly of finished parts into whole batches, in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/byte_budget.h"
#include "base/retry.h"
#include "model/batch.h"
#include "model/progress.h"
#include "model/staged_batch.h"
#include "stage/object_store.h"
#include "stage/stager.h"

namespace re_dms {

/// Batches that may be staged, or begun to be, and not yet loaded.
inline constexpr std::size_t kStagedBatchesMax = 2;

/// How problems with the store are reported: each failed try, and that a step that had failed is
/// done.
struct StagingNotes {
  Retry::OnError failed;
  std::function<void()> done;
};

struct StagingLimits {
  std::size_t part_bytes = 16U << 20;     ///< of tuples, per file
  std::size_t memory_bytes = 128U << 20;  ///< of layers that wait for their files
};

/// Three kinds of threads meet here, and only through queues: the fold (layer, seal, drop), workers
/// (run_worker) and one assembler (run_assembler).
///
/// At most kStagedBatchesMax batches take room in the store: the first layer of a further one, or
/// its seal when it has none, waits until one of them was loaded. Layers of a batch that was begun
/// wait only for memory, because a large transaction cannot end before all of them are staged.
///
/// Batches are numbered here, dropped ones too, so that no name of a file is used twice;
/// a sealed batch gets that number in place of the fold's.
class StagingSlots final : public BatchSink {
 public:
  /// `staged` receives complete batches in order; all references outlive it.
  StagingSlots(ObjectStore& store, StageNames names, StagingLimits limits, Progress& progress,
               BoundedQueue<StagedBatch>& staged, std::stop_token stop, StagingNotes notes);

  void layer(Layer&& layer) override;
  void cut_transaction(std::uint32_t xid, Lsn commit_lsn) override;
  void seal(const BatchSpan& span, std::vector<SetAside> set_aside) override;
  void drop() override;

  /// No more layers follow: workers and assembler end when they are done, then `staged` is closed.
  void close();

  /// A seal now would not wait for the load of an earlier batch. By the fold's thread.
  bool has_free_slot() const { return begun_ || taken_.size() < kStagedBatchesMax; }

  /// To be called for each batch taken from `staged` when it is loaded: its slot is free.
  void loaded();

  /// Until close() was called and all parts are written. Waits while the store is full, except for
  /// a transaction that is larger than the store: when no earlier batch will leave the store, its
  /// layers can never all be there. Then throws Fatal and names the transaction and its size.
  void run_worker(const std::stop_token& stop);
  void run_assembler(const std::stop_token& stop);

 private:
  /// A transaction that is staged before its end.
  struct CutTransaction {
    std::uint32_t xid = 0;
    Lsn commit_lsn;
    std::atomic<std::uint64_t> staged_bytes{0};
  };

  /// A layer shared by the workers that write its parts; its memory is given back with the last.
  struct SharedLayer {
    Layer layer;
    ByteBudget::Share share;
    std::shared_ptr<CutTransaction> cut;  // null: of an ordinary batch
  };

  struct PartJob {
    std::shared_ptr<const SharedLayer> layer;  // shared: the last of its parts frees the rows
    PartNumber number;
    PartRange range;
  };

  struct LayerPlanned {
    StagedLayer layer;
    std::size_t parts = 0;
  };

  struct PartDone {
    PartNumber number;
    StagedFile file;
  };

  struct Sealed {
    BatchSpan span;
    std::vector<SetAside> set_aside;
  };

  struct Dropped {};

  /// One for each batch that was begun and is neither loaded nor dropped.
  struct BatchSlot {};

  using Event = std::variant<LayerPlanned, PartDone, Sealed, Dropped>;

  /// A batch whose parts are not all written, or that is still open.
  struct Assembly {
    std::uint64_t batch = 0;
    StagedBatch staged;
    std::size_t planned = 0;
    std::size_t done = 0;
    bool sealed = false;
    bool dropped = false;
  };

  void write(const PartJob& job);
  bool retry(const std::stop_token& stop, const std::function<void()>& step);
  [[noreturn]] void refuse(const CutTransaction& cut, const StageFull& full) const;
  bool begin_batch();
  void end_batch();
  void handle(Event& event);
  Assembly& open_assembly();
  void finish_front(const std::stop_token& stop);
  void send(Event event);

  ObjectStore& store_;
  StageNames names_;
  StagingLimits limits_;
  Progress& progress_;
  BoundedQueue<StagedBatch>& staged_;
  std::stop_token stop_;
  StagingNotes notes_;
  ByteBudget budget_;
  BoundedQueue<PartJob> jobs_;
  BoundedQueue<Event> events_;
  BoundedQueue<BatchSlot> taken_;
  std::atomic<bool> closed_{false};
  // The fold's side.
  std::uint64_t batch_ = 1;
  bool begun_ = false;  ///< a layer of this batch was handed in
  std::size_t next_layer_ = 0;
  std::shared_ptr<CutTransaction> cut_;  ///< the open batch is part of one
  // The assembler's side.
  std::vector<Assembly> assemblies_;
  std::uint64_t next_assembly_ = 1;
};

}  // namespace re_dms
