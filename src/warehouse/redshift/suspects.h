// Which table it is that keeps a batch from being loaded.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

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
  /// A try of the batch ended in a statement of the table, beside others or alone.
  void failed(const Failing& table) { ++tries(table).beside; }

  void failed_alone(const Failing& table) { ++tries(table).alone; }

  /// Those of the tables that are suspects, in their order.
  std::vector<Oid> among(const std::vector<Oid>& tables) const;

  /// Whether it failed alone so often that it is not waited for.
  bool is_found(Oid table) const;

  void clear() { tries_.clear(); }

 private:
  struct Tries {
    std::string statement;
    int beside = 0;
    int alone = 0;
  };

  Tries& tries(const Failing& table);

  std::map<Oid, Tries> tries_;
};

}  // namespace re_dms::redshift
