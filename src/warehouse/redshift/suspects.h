// Which table it is that keeps a batch from being loaded.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/table_schema.h"
#include "warehouse/batch_load.h"
#include "warehouse/redshift/faults.h"

namespace re_dms::redshift {

/// A table of which statements failed for a reason that may pass.
struct Failing {
  Oid table = 0;
  QualifiedName name;
  std::string reason;
  std::string statement;  ///< as StatementFailed has it
};

/// Whose statement apply() of the load ended in; nothing where it was nobody's.
std::optional<Failing> failing(const BatchLoad& load, const StatementFailed& error);

/// What the tries of one batch show. A table at one statement of which several tries ended, one
/// after the other, is a suspect: it is loaded alone, behind the others, which then wait for it no
/// longer.
class Suspects {
 public:
  /// `patience`: how long a table is waited for at least, from its first failure on. A disk that is
  /// full for a moment, or a restart, is no table's trouble.
  explicit Suspects(std::chrono::milliseconds patience) : patience_(patience) {}

  /// A try of the batch ended in a statement of the table, beside others or alone.
  void failed(const Failing& table, SteadyTime now) { ++tries(table, now).beside; }

  void failed_alone(const Failing& table, SteadyTime now) { ++tries(table, now).alone; }

  /// Those of the tables that are suspects; the ones that failed alone least often first, so that
  /// each gets its turn.
  std::vector<Oid> among(const std::vector<Oid>& tables) const;

  /// Whether it failed alone so often, and for so long, that it is not waited for.
  bool is_found(Oid table, SteadyTime now) const;

  void clear() { tries_.clear(); }

 private:
  struct Tries {
    std::string statement;
    SteadyTime since{};  ///< that it fails at this statement
    int beside = 0;
    int alone = 0;
  };

  Tries& tries(const Failing& table, SteadyTime now);

  const std::chrono::milliseconds patience_;
  std::map<Oid, Tries> tries_;
};

}  // namespace re_dms::redshift
