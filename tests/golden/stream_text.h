// A recorded journal as text, a record a line, so that a person can review what a case feeds in.
#pragma once

#include <string_view>
#include <vector>

#include "model/journal_block.h"
#include "model/lsn.h"

namespace re_dms {

struct RecordedStream {
  Lsn start;  ///< where the journal begins
  JournalBlock records;
  std::vector<Lsn> seals;  ///< a batch ends where the stream has reached one of these
};

/// Reads what tests/golden/capture writes. Throws Usage naming the line that is wrong.
RecordedStream parse_stream(std::string_view text);

}  // namespace re_dms
