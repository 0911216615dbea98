// Proves that a staged file is what the stage wrote, before a load believes it.
#pragma once

#include "model/staged_batch.h"

namespace re_dms {

/// Reads the file and compares its size and checksum with what was written. Throws Fatal, naming
/// the file, when it is missing, cannot be read or differs: the next start stages it again from the
/// journal. Engines do not check as much: DuckDB leaves the checksum in a gzip file alone.
void check_staged_file(const StagedFile& file);

}  // namespace re_dms
