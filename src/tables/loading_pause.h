// Whether loading is paused, in a file beside the journal, so that it outlives the process.
#pragma once

#include <string>

#include "base/file_system.h"

namespace re_dms {

bool loading_is_paused(FileSystem& files, const std::string& journal_directory);

/// Durable on return.
void store_loading_pause(FileSystem& files, const std::string& journal_directory, bool paused);

}  // namespace re_dms
