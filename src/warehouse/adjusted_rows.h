// What the target keeps of values that were changed because it cannot hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/lsn.h"
#include "model/staged_batch.h"
#include "warehouse/sql_session.h"

namespace re_dms {

struct LoadRun;
struct AppliedLoad;

struct AdjustedTotal {
  std::string column;
  std::string reason;
  std::uint64_t values = 0;
};

struct AdjustedExample {
  AdjustedValue value;
  std::string column;
  Lsn below;  ///< its row was committed before it
};

/// Of one table in one load.
struct TableAdjusted {
  std::vector<AdjustedTotal> totals;
  std::vector<AdjustedExample> examples;
};

/// Adds what was changed in the layer's files; `below`: its rows were committed before it.
void add(TableAdjusted& sum, const StagedLayer& layer, Lsn below);

/// In the session's transaction: the totals grow, and examples come, up to a number of each table
/// and day. Costs nothing when nothing was changed.
void write_adjusted(SqlSession& session, const LoadRun& run, const std::vector<AppliedLoad>& loads,
                    SystemTime now);

struct LayerRefusal {
  std::string reason;
  Remedy remedy = Remedy::Person;
};

/// Why the layer's table cannot take its rows: of a value that is not to be changed, never the
/// value. Nothing when there is none.
std::optional<LayerRefusal> refusal(const StagedLayer& layer);

}  // namespace re_dms
