// The thread that reads the journal once more for tables that hold a copy, until they have the
// changes made since and join the live ones.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "base/file_system.h"
#include "batch/batcher.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "pipeline/join_place.h"
#include "pipeline/staging_room.h"
#include "tables/table_states.h"

namespace re_dms {

/// What catching up works with; everything outlives it.
struct CatchUpWiring {
  FileSystem& files;
  const std::string& journal_directory;
  const JournalWriter& journal;
  StagingRoom& room;  ///< for tables that catch up
  TableStates& tables;
  JoinPlace& join;
  BoundedQueue<Oid>& failed_tables;  ///< tables whose load failed
};

/// One round after the other: all tables that catch up when a round begins share one reader of the
/// journal. Tables that come meanwhile wait for the next round.
class CatchUp {
 public:
  CatchUp(CatchUpWiring wiring, BatchLimits limits) : wiring_(wiring), limits_(limits) {}

  /// Until stop is requested or the table states are closed.
  void run(const std::stop_token& stop);

 private:
  class Round;

  std::unique_ptr<JournalReader> open_journal(std::vector<TableRecord>& tables);

  CatchUpWiring wiring_;
  BatchLimits limits_;
  std::map<Oid, std::uint64_t> given_up_;  ///< attempts of tables whose changes are gone
};

}  // namespace re_dms
