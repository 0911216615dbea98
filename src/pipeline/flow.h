// Everything behind the socket: journal, fold, staging and loading, with the threads and queues
// between them. Needs no PostgreSQL: blocks come in through a queue.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/bounded_queue.h"
#include "base/file_system.h"
#include "model/journal_block.h"
#include "model/origin.h"
#include "pipeline/run_state.h"
#include "pipeline/settings.h"
#include "pipeline/stage_thread.h"
#include "stage/object_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// What the flow is built from; everything outlives it.
struct FlowWiring {
  FileSystem& files;
  ObjectStore& store;
  Warehouse& warehouse;
  RunState& state;
  Outcome& outcome;
};

class Flow {
 public:
  /// Recovers the journal; no thread runs yet. Throws what JournalWriter throws.
  Flow(const PipelineSettings& settings, const Origin& origin, FlowWiring wiring);
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// Starts all threads. The target is taken over by the lane's thread as soon as it answers; until
  /// then the journal fills. With `until` known the outcome finishes when everything below it is
  /// loaded.
  void start(Lsn until);

  /// Where blocks of the stream go in; weighed by bytes.
  BoundedQueue<JournalBlock>& blocks();

  const JournalWriter& journal() const;

  /// Nothing follows in blocks(): the outcome finishes when all that the journal holds is loaded.
  /// `open`: the last block left a transaction unfinished.
  void drain(bool open);

  /// Waits for all threads; they end when the outcome stops, each after its present step.
  void join();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
