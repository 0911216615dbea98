// What becomes of a recorded stream on its way through fold, stage and warehouse.
#pragma once

#include <string>

#include "stream_text.h"

namespace re_dms {

/// Contents of a case's expected files.
struct Expected {
  std::string txt;  ///< batches, layers and net rows
  std::string csv;  ///< the staged files, uncompressed, each after a line of comment
  std::string sql;  ///< the statements that load each batch

  bool operator==(const Expected&) const = default;
};

/// Journals the stream, reads it back, folds, stages and loads it into a new DuckDB file. The same
/// stream gives the same texts on every machine.
Expected play(const RecordedStream& stream);

}  // namespace re_dms
