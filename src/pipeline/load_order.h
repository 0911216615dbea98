// Which staged batch is loaded next, and what of it nobody wants any more.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "model/staged_batch.h"
#include "tables/table_states.h"

namespace re_dms {

/// Copied rows come in large batches, many at once: each of them lets one of the others by, so that
/// live tables wait for one at most. One that failed waits for its next turn, and all copies behind
/// it: they may go on with its tables. What a table is copied for does not depend on that order: a
/// load takes only batches that suit the table's state. A batch of the stream may hold changes of
/// tables that joined before it, and waits for what these caught up with: that was staged by
/// others, so it may come later.
class LoadOrder {
 public:
  explicit LoadOrder(const Clock& clock) : clock_(clock) {}

  /// Nothing when none that may be loaded came for `patience`, when stopped, or at the end.
  std::optional<StagedBatch> next(BoundedQueue<StagedBatch>& staged, const std::stop_token& stop,
                                  std::chrono::milliseconds patience);

  /// Copied rows that could not be loaded now: they come again, before others, but not before
  /// `due`.
  void put_back(StagedBatch batch, SteadyTime due);

  /// Tables that had caught up are live in the target.
  void joined() { ++joins_; }

  /// Whether next() has one that it took from the queue earlier.
  bool has_some() const {
    return !copies_.empty() || (!waiting_.empty() && !waits_for_a_join(waiting_.front()));
  }

 private:
  bool has_copy() const;
  std::chrono::milliseconds until_copy(std::chrono::milliseconds otherwise) const;
  bool waits_for_a_join(const StagedBatch& batch) const;

  const Clock& clock_;
  std::deque<StagedBatch> copies_;  ///< of copied rows, that wait for others
  SteadyTime copies_due_{};
  bool copied_last_ = false;
  std::uint64_t joins_ = 0;          ///< that are loaded
  std::deque<StagedBatch> waiting_;  ///< of the stream, for joins that are not loaded yet
};

/// Takes out of the batch what was staged for attempts that somebody has ended. Gives the layers
/// whose files nobody reads.
std::vector<StagedLayer> take_void(StagedBatch& batch, const TableStates& tables);

}  // namespace re_dms
