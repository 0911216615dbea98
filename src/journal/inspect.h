// What a journal directory holds, for people and scripts, also when it is damaged.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "model/lsn.h"
#include "model/table_schema.h"

namespace re_dms {

/// A place beyond which a segment cannot be read.
struct SegmentFault {
  std::uint64_t offset = 0;
  std::string reason;
};

struct SegmentReport {
  std::string file;
  std::uint64_t bytes = 0;
  Lsn position;
  bool begins_open = false;
  bool ends_open = false;
  Lsn first_commit;  ///< commit LSN of the first transaction that ends here; unknown: none does
  Lsn last_commit_end;
  std::optional<SystemTime> first_time;  ///< commit times of the same transactions
  std::optional<SystemTime> last_time;
  std::uint64_t transactions = 0;
  std::uint64_t rows = 0;  ///< inserts, updates and deletes, aborted ones too
  std::uint64_t aborts = 0;
  std::map<Oid, std::string> tables;  ///< that have rows here; by name where it is known
  std::optional<SegmentFault> fault;
};

/// Reads every segment as far as it can be read. Never throws because of their content.
std::vector<SegmentReport> report_segments(FileSystem& files, const std::string& directory);

/// Prints the report as text or as one JSON object; returns whether every byte is sound. A running
/// daemon's last record may be seen half written.
bool inspect_journal(FileSystem& files, const std::string& directory, std::ostream& out, bool json);

}  // namespace re_dms
