// Which cluster this is, and whether it can be replicated from.
#pragma once

#include "model/origin.h"
#include "source/connection.h"

namespace re_dms {

/// The oldest version that runs at all, as PQserverVersion. Supported are 15 to 18.
inline constexpr int kOldestServer = 140000;

/// "15.18".
std::string version_text(int server_version);

/// Connects both ways. Throws Fatal for a version below kOldestServer, a standby, wal_level below
/// logical, and a role without the replication right.
Origin identify_source(const SourceSettings& settings);

}  // namespace re_dms
