// What people want to know of copies: how fast, how far, how long still. Made from the states of
// all tables, which it looks at whenever it is asked.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/recent_rate.h"
#include "tables/table_states.h"

namespace re_dms {

/// Over the last 30 seconds, of a copy that began later since its first rows; nothing in the first
/// two seconds of that, and where nothing moves.
struct CopyPace {
  std::optional<double> rows_per_second;
  /// Of a table that is copied: of its file. Of one that catches up: by so much less of the journal
  /// is left, with what comes meanwhile.
  std::optional<double> bytes_per_second;
  std::optional<double> seconds_left;  ///< at this pace, of the copy or of catching up
};

/// All tables on their way together. A wave begins with a table that leaves for its copy while no
/// other is on its way, and ends when all of them are live, set aside, or wait for another try.
struct CopyWave {
  std::uint64_t number = 0;  ///< 0: there was none yet
  bool ended = true;         ///< the figures are its last ones; none is on its way
  SystemTime began;
  std::uint64_t waiting = 0;
  std::uint64_t copying = 0;
  std::uint64_t catching_up = 0;
  std::uint64_t live = 0;   ///< became so since it began
  std::uint64_t rows = 0;   ///< of copies, also of those tables that are live
  std::uint64_t bytes = 0;  ///< of `bytes_estimated`, never more
  std::uint64_t bytes_estimated = 0;
  bool sized = true;                     ///< the sizes of all tables are known
  std::uint64_t journal_bytes_left = 0;  ///< of the table that has most
  double seconds = 0;                    ///< since it began; until its end
  /// Of copies; `seconds_left` of the whole only where all sizes are known, and of catching up
  /// where nothing else is left.
  CopyPace pace;
};

struct CopyFigures {
  std::vector<TableRecord> tables;  ///< all, by OID
  std::map<Oid, CopyPace> paces;    ///< of those copied or catching up
  CopyWave wave;
};

/// How much of a copy is done, at most all of it.
std::uint64_t bytes_done(const TableRecord& table);

/// Safe to use from any thread. How often it is read does not change what it says, but rates are as
/// fine as that: once a second or more.
class CopyMeter {
 public:
  /// Both outlive it.
  CopyMeter(const TableStates& tables, const Clock& clock) : tables_(tables), clock_(clock) {}

  CopyFigures read();

 private:
  /// A table that is copied or catches up.
  struct Followed {
    std::uint64_t attempt = 0;
    TableState state = TableState::Waiting;
    RecentRate rows;
    RecentRate bytes;
  };

  CopyPace pace(const TableRecord& table, SteadyTime now);
  void follow_wave(const CopyFigures& figures, SteadyTime now);
  std::vector<const TableRecord*> joined_since(const std::vector<TableRecord>& tables);
  void begin_wave(SteadyTime now);
  void measure(const CopyWave& coming, SteadyTime now);

  const TableStates& tables_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<Oid, Followed> followed_;
  std::map<Oid, SteadyTime> counted_;  ///< tables that were copied, by when they became live
  CopyWave wave_;
  CopyWave joined_;  ///< of the wave: what became live
  SteadyTime wave_began_{};
  RecentRate wave_rows_;
  RecentRate wave_bytes_;
};

}  // namespace re_dms
