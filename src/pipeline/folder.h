// The fold's thread: follows the journal from the target's position and decides when a batch ends.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "batch/batcher.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "pipeline/join_place.h"
#include "pipeline/run_state.h"
#include "pipeline/staging_room.h"

namespace re_dms {

struct FoldSchedule {
  std::chrono::milliseconds interval{10'000};
  /// Batches without rows are loaded this often when that lets journal segments go, …
  std::chrono::milliseconds empty_interval_freeing{10'000};
  /// … and otherwise this often, so that a serverless target can sleep.
  std::chrono::milliseconds empty_interval{3'600'000};
  std::uint64_t segment_bytes = 64U << 20;
};

/// What the fold works with; everything outlives it.
struct FoldWiring {
  JournalReader& reader;
  const JournalWriter& journal;
  Batcher& batcher;
  StagingRoom& slots;
  RunState& state;
  JoinPlace& join;
  BoundedQueue<Oid>& failed_tables;  ///< tables whose load failed
  /// The run ends when everything below is loaded and no table is on its way to being live;
  /// unknown: never. May become known at any time.
  const std::atomic<Lsn>& until;
  /// The source is refused: tables on their way stay there.
  const std::atomic<bool>& draining;
};

/// While no slot is free, a batch that is due goes on filling. When its memory is full, or
/// what comes next has to begin a batch, the fold waits for a slot: the journal takes what the
/// source sends meanwhile.
class Folder {
 public:
  Folder(FoldWiring wiring, FoldSchedule schedule, Clock& clock)
      : wiring_(wiring), schedule_(schedule), clock_(clock) {}

  /// Until stop is requested, or the run ends by `until`; then the room is closed.
  void run(const std::stop_token& stop);

 private:
  void leave_out_failed(const std::stop_token& stop);
  void show();
  void seal();
  void meet(const std::stop_token& stop);
  bool is_at_end();
  bool seal_is_due() const;
  std::chrono::milliseconds interval() const;
  std::chrono::milliseconds patience() const;

  FoldWiring wiring_;
  FoldSchedule schedule_;
  Clock& clock_;
  SteadyTime last_seal_{};
  std::optional<Lsn> end_;  ///< sealed for `until`
};

}  // namespace re_dms
