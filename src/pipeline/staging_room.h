// Where the layers of one reader become staged batches: the fold's sink, the parts that the pool
// writes, and the assembly of finished parts into whole batches, in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "model/batch.h"
#include "model/progress.h"
#include "model/staged_batch.h"
#include "pipeline/staging_pool.h"

namespace re_dms {

/// Batches that may be staged, or begun to be, and not yet loaded: of a reader of the journal,
/// which can be read again, …
inline constexpr std::size_t kStagedBatchesMax = 2;
/// … and of copied rows: few large ones, because each costs the target some tenths of a second
/// whatever its size is. More of them while the store has ample room: the sooner rows are read, the
/// sooner their snapshot ends, which holds back the source's VACUUM.
inline constexpr std::size_t kCopyBatchesMax = 8;
inline constexpr std::size_t kCopyBatchesInAmpleRoom = 64;

/// Three kinds of threads meet here, and only through queues: one that hands layers in (layer,
/// seal, drop), the pool's workers and one assembler (run_assembler).
///
/// At most so many batches take room in the store: the first layer of a further one, or
/// its seal when it has none, waits until one of them was loaded. Layers of a batch that was begun
/// wait only for memory, because a large transaction cannot end before all of them are staged.
///
/// Batches are numbered here, dropped ones too, so that no name of a file is used twice;
/// a sealed batch gets that number in place of the fold's.
class StagingRoom final : public BatchSink {
 public:
  /// `name` tells its files from those of other rooms. `staged` receives complete batches in order;
  /// `progress`, how far they reach; all references outlive it.
  StagingRoom(StagingPool& pool, BatchKind kind, std::string name, ProgressMark& progress,
              BoundedQueue<StagedBatch>& staged);

  void layer(Layer&& layer) override;
  void cut_transaction(std::uint32_t xid, Lsn commit_lsn) override;
  void seal(const BatchSpan& span, std::vector<SetAside> set_aside) override;
  void drop() override;

  /// The tables that the batches from the next seal on are about, of a room for tables that catch
  /// up. They follow the batches: each stands where the last one ended, unless it is further.
  void follow(std::vector<TableAt> tables) { tables_ = std::move(tables); }

  /// The batches from the next seal on are not about this table any more.
  void forget(Oid table) {
    std::erase_if(tables_, [table](const TableAt& each) { return each.oid == table; });
  }

  /// Behind all batches: of the tables followed, these are live. None is followed any longer.
  void join(const std::set<Oid>& tables);

  /// No more layers follow: the assembler ends when it is done, then `staged` is closed.
  void close() { closed_ = true; }

  /// A seal now would not wait for the load of an earlier batch, and a batch begun now leaves the
  /// store room. By the thread that seals.
  bool has_free_slot() const;

  /// To be called for each batch taken from `staged` when it is loaded: its slot is free.
  void loaded();

  void run_assembler(const std::stop_token& stop);

 private:
  friend class StagingPool;

  struct LayerPlanned {
    StagedLayer layer;
    std::size_t parts = 0;
  };

  struct PartDone {
    PartNumber number;
    StagedFile file;
  };

  struct Sealed {
    BatchKind kind = BatchKind::Stream;
    BatchSpan span;
    std::vector<SetAside> set_aside;
    std::vector<TableAt> tables;
    SteadyTime at;
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

  void write(const StagingPool::PartJob& job);
  [[noreturn]] void refuse(const CutTransaction& cut, const StageFull& full) const;
  bool begin_batch();
  void end_batch();
  void handle(Event& event);
  Assembly& open_assembly();
  void write_copy_manifests(Assembly& assembly);
  void finish_front(const std::stop_token& stop);
  void send(Event event);

  StagingPool& pool_;
  const BatchKind kind_;
  const std::size_t batches_max_;
  const StageNames names_;
  ProgressMark& progress_;
  BoundedQueue<StagedBatch>& staged_;
  BoundedQueue<Event> events_;
  BoundedQueue<BatchSlot> taken_;
  std::atomic<bool> closed_{false};
  // The side of the thread that seals.
  std::uint64_t batch_ = 1;
  bool begun_ = false;  ///< a layer of this batch was handed in
  std::size_t next_layer_ = 0;
  std::shared_ptr<CutTransaction> cut_;  ///< the open batch is part of one
  std::vector<TableAt> tables_;
  // The assembler's side.
  std::vector<Assembly> assemblies_;
  std::uint64_t next_assembly_ = 1;
};

}  // namespace re_dms
