// Loads tables of a batch side by side, some in each lane.
#pragma once

#include <array>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "warehouse/batch_load.h"
#include "warehouse/redshift/redshift_tables.h"
#include "warehouse/redshift/session.h"
#include "warehouse/redshift/suspects.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

/// Deals tables of the batch to at most so many lanes, the largest first. A cluster makes one
/// commit after the other, so there are no more lanes than their work is worth; one lane means that
/// nothing is gained by it.
std::vector<std::vector<Oid>> deal(const StagedBatch& batch, const std::vector<Oid>& tables,
                                   int lanes);

/// What the lanes tell of, whether or not their tries come to their end.
struct LanesReport {
  BatchLoad& load;  ///< of the whole batch
  BatchTries& tries;
  std::vector<Failing>& failing;  ///< what transactions failed of
};

/// Keeps a session for each lane between batches.
class Lanes {
 public:
  /// What it is given must outlive it.
  Lanes(const SessionSettings& sessions, const LoadSettings& settings,
        const WarehouseSettings& warehouse, const Clock& clock)
      : sessions_(sessions), settings_(settings), warehouse_(warehouse), clock_(clock) {}

  /// Loads what changes only rows of these tables, a list for each lane, each in a transaction of
  /// its own, which leaves the loaded position. Tables that cannot take the batch are left out, and
  /// so are those of a lane whose session cannot be opened. Throws, when all lanes are at their
  /// end, what a session throws; what other lanes did then stays, and is known to nobody but the
  /// target.
  void load(const StagedBatch& batch, const std::vector<std::vector<Oid>>& tables,
            const LoadRun& run, const StoredPosition& stored, LanesReport report,
            const std::stop_token& stop);

  /// Ends the sessions.
  void close();

 private:
  /// One lane's share of a batch.
  struct Share {
    StagedBatch batch;
    StoredTables known;  ///< its tables; after the load those that took it
    BatchTries tries;
    std::optional<Failing> failing;  ///< whom `error` is about
    std::string not_opened;          ///< why it has no session
    std::exception_ptr error;
  };

  static std::vector<Share> share_out(const StagedBatch& batch,
                                      const std::vector<std::vector<Oid>>& tables,
                                      const BatchLoad& load);
  void gather(std::vector<Share>& shares, LanesReport report) const;
  bool open(std::optional<Session>& session, Share& share, const std::stop_token& stop);
  void load(int lane, Share& share, const LoadRun& run, const StoredPosition& stored,
            const std::stop_token& stop);
  void load_into(Session& session, int lane, Share& share, const LoadRun& run,
                 const StoredPosition& stored);

  const SessionSettings& sessions_;
  const LoadSettings& settings_;
  const WarehouseSettings& warehouse_;
  const Clock& clock_;
  std::array<std::optional<Session>, kLanesMax> open_;
  std::optional<SteadyTime> used_;
};

}  // namespace re_dms::redshift
