// Which table it is that keeps a batch from being loaded.
#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/table_schema.h"
#include "warehouse/batch_load.h"
#include "warehouse/redshift/faults.h"

namespace re_dms::redshift {

/// A table that a transaction failed of, for a reason that may pass; or several, at COMMIT: nobody
/// tells for whose sake that failed.
struct Failing {
  Oid table = 0;  ///< the first of them
  QualifiedName name;
  std::string reason;
  std::string statement;   ///< as StatementFailed has it
  bool answered = true;    ///< by the cluster: the connection did not end
  std::size_t tables = 1;  ///< how many they are

  bool at_commit() const { return statement == kCommit; }
};

/// Whose statement the load ended in, or whose COMMIT; nothing where it was nobody's. Tables that
/// take no more than a note of what is known of them count as re_dms's own writes do.
std::optional<Failing> failing(const BatchLoad& load, const StatementFailed& error);

/// How long tables that fail alone are waited for at least, from their first failure on.
struct Patience {
  /// While others pass. A disk that is full for a moment, or a restart, is no table's trouble.
  std::chrono::milliseconds with_one;
  /// While no other passes, which is how a cluster looks that has too much to do.
  std::chrono::milliseconds with_all;
};

/// What the tries of one batch show. A table at one statement of which several tries ended, one
/// after the other, is a suspect until the batch is loaded: it is loaded alone, behind the others,
/// which then wait for it no longer. COMMITs that fail make transactions smaller until the COMMIT
/// of one table fails.
class Suspects {
 public:
  explicit Suspects(Patience patience) : patience_(patience) {}

  /// A try of the batch ended in a statement of the table, beside others, or in a COMMIT.
  void failed(const Failing& failing, SteadyTime now);

  /// A suspect failed in a transaction of its own, at whatever statement, behind a write of our own
  /// that passed.
  void failed_alone(const Failing& table, SteadyTime now);

  /// So many tables one transaction takes at most.
  std::size_t together() const { return together_; }

  /// Whether tables are loaded in transactions of some, because COMMITs fail.
  bool searches() const { return together_ != kUnlimited; }

  /// A transaction of so many tables took place, and some are left.
  void committed() { together_ = together_ > kUnlimited / 2 ? kUnlimited : together_ * 2; }

  /// Those of the tables that are suspects; the ones that failed alone least often first, so that
  /// each gets its turn.
  std::vector<Oid> among(const std::vector<Oid>& tables) const;

  /// Of `missing`, all tables that have yet to take the batch, those that are not waited for: they
  /// failed alone so often, and for so long. `soon`: some tables took it, or it costs the missing
  /// little to leave.
  std::vector<Failing> found(const std::vector<Oid>& missing, bool soon, SteadyTime now) const;

 private:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  struct Tries {
    Failing last{};
    SteadyTime since{};  ///< of a suspect: that it fails; else: that it fails at this statement
    int beside = 0;
    int alone = 0;
    int answered = 0;  ///< of those alone
  };

  static bool is_suspect(const Tries& tries);
  void count_beside(const Failing& table, SteadyTime now);
  bool failed_for(Oid table, std::chrono::milliseconds patience, SteadyTime now) const;

  Patience patience_;
  std::map<Oid, Tries> tries_;
  int commits_failed_ = 0;
  std::size_t together_ = kUnlimited;
};

}  // namespace re_dms::redshift
