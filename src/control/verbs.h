// What people can ask a running daemon to do with its tables.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "observe/http_server.h"
#include "tables/table_states.h"

namespace re_dms {

/// What the verbs act on; everything outlives the server.
struct ControlWiring {
  TableStates& tables;
  FileSystem& files;
  std::string journal_directory;
  /// So long an answer waits for what was asked to be done.
  std::chrono::milliseconds patience{5000};
};

/// POST with patterns of tables; a pattern that no table matches refuses the whole. Answers, in a
/// line each, what becomes of the tables: that is done between two loads, and said where it is not
/// done yet.
///   /resync  they are copied anew; one that is never copied stays as it is while it is followed,
///            as beginning again would skip changes, and else begins again
///   /pause   they stay as they are and the journal keeps their changes; without patterns, nothing
///            is loaded any more
///   /resume  they go on where they stand; refused where only a copy helps. Without patterns,
///            loading goes on
std::vector<HttpRoute> control_routes(const ControlWiring& wiring);

}  // namespace re_dms
