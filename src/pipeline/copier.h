// The thread that publishes new tables and copies those that wait for it, group after group.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "pipeline/copy_group.h"
#include "source/connection/connection.h"
#include "tables/table_states.h"

namespace re_dms {

class Copier {
 public:
  Copier(CopyWiring wiring, CopyLimits limits)
      : source_(wiring.source),
        wiring_{source_, wiring.origin, wiring.room, wiring.state},
        limits_(limits) {}

  /// Until stop is requested or the table states are closed. What fails for a reason that may pass
  /// is tried again later, under another snapshot; what it staged is void by then.
  void run(const std::stop_token& stop);

 private:
  bool copy_next(const std::stop_token& stop);
  void publish(const std::stop_token& stop);
  void take_choice(Connection& plain);
  void bring_back(Connection& plain);
  void leave(std::vector<SetAside> tables);
  void leave_unselected();
  void leave_unselected(std::vector<TableSize>& found);
  std::vector<CopyCandidate> choose(const std::vector<TableRecord>& due,
                                    const std::stop_token& stop);
  void leave_missing(const std::vector<TableRecord>& due, const std::vector<TableSize>& found);

  SourceSettings source_;     ///< as the configuration is now
  std::uint64_t choice_ = 0;  ///< number of the last one that took effect
  bool brought_back_ = false;
  bool looked_at_all_ = false;  ///< for tables that are published and not known yet
  CopyWiring wiring_;
  CopyLimits limits_;
  std::uint64_t steps_ = 0;
};

}  // namespace re_dms
