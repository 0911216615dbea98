// What the tries of one batch showed, and which tables the try that runs goes on without.
#pragma once

#include <exception>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/staged_batch.h"
#include "warehouse/batch_load.h"
#include "warehouse/load_checks.h"
#include "warehouse/redshift/faults.h"
#include "warehouse/redshift/suspects.h"

namespace re_dms::redshift {

/// Of one batch, until another one of its kind is loaded. A batch that failed once is gone on with
/// behind each table that fails: the tables that do are found in one try, without its pause, and
/// all others are loaded in it. What failed once only may pass the next time.
class LoadTries {
 public:
  LoadTries();

  /// Before each try. What was seen of another batch is forgotten.
  void begin(const StagedBatch& batch, SteadyTime now);

  /// The tables that have yet to take the batch and are not waited for any more will not take it.
  /// Before anything else of a try, and not behind a failure in it: that one's COMMIT may have
  /// taken place though its answer was lost, and then the table is not missing.
  void leave_found(const BatchLoad& load, SteadyTime now);

  /// The try ended in a statement of the table, beside others, or in a COMMIT of such.
  void note_failed(const Failing& failed, SteadyTime now);

  /// It ended in a table that was loaded alone. Gives the error that says what is waited for.
  StatementFailed note_failed_alone(const Failing& failed, const BatchLoad& load,
                                    const StatementFailed& error, SteadyTime now);

  /// While the error by which the try ended is handled: whether it goes on, without the tables that
  /// failed in it, which are more by now.
  bool goes_on(SteadyTime now);

  /// The cluster has yet to show, behind the first failure of this try, that it takes writes at
  /// all; asked once a try.
  bool is_to_write();

  /// Neither suspects nor those that failed in this try.
  std::vector<Oid> without_failing(std::vector<Oid> tables) const;

  /// The suspects among the tables that did not fail in this try.
  std::vector<Oid> to_be_tried_alone(const std::vector<Oid>& tables) const;

  /// Some tables failed in this try.
  bool has_left_out() const { return !left_out_.empty(); }

  /// Throws what they failed of last, if some did.
  void require_none_left_out() const;

  std::optional<Failing> take_failed_commit() {
    return std::exchange(failed_commit_, std::nullopt);
  }

  BatchTries& batch_tries() { return tries_; }

  Suspects& suspects() { return suspects_; }

 private:
  /// Of tables that nobody follows yet: to leave costs them what is copied, and to wait for them
  /// costs all copies behind them.
  bool is_of_copies() const { return batch_.first == BatchKind::Copy; }

  void leave_out(const Failing& failed);

  std::pair<BatchKind, BatchSpan> batch_;
  BatchTries tries_;
  Suspects suspects_;
  std::optional<Failing> failed_commit_;  ///< that is not counted yet
  bool failed_before_ = false;            ///< an earlier try did, in a statement
  // Of the try that runs.
  SteadyTime began_;
  std::set<Oid> left_out_;           ///< they failed in it
  std::size_t left_out_before_ = 0;  ///< so many of them, when it went on last
  std::exception_ptr failure_;       ///< of the last of them
  bool wrote_ = false;
};

}  // namespace re_dms::redshift
