// What `re_dms check` can say about our directories before anything is written there.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "journal/journal_writer.h"
#include "model/check.h"

namespace re_dms {

/// Whether the directory is there or can be made, can be written and fsynced, lies on a file system
/// that keeps what was fsynced, and has room for max_bytes and reserve_bytes. Leaves nothing
/// behind: a probe file is written and removed, in the nearest directory that exists.
std::vector<CheckResult> check_journal_directory(const JournalLimits& limits);

/// Whether the directory is there or can be made, and can be written. Leaves nothing behind.
CheckResult check_stage_directory(const std::string& directory);

/// The judgement on a file system by its statfs magic number.
CheckResult judge_file_system(unsigned long magic);

/// The judgement on room: `used_bytes` is what the journal holds already.
CheckResult judge_space(const JournalLimits& limits, DiskSpace space, std::uint64_t used_bytes);

}  // namespace re_dms
