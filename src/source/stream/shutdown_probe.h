// Whether the server waits for its clients to leave.
#pragma once

#include "source/connection/connection.h"

namespace re_dms {

/// True when the server that `plain` is connected to refuses new clients because it shuts down: a
/// smart shutdown tells the connected ones nothing and lasts until they have left (PostgreSQL 15,
/// server-shutdown). Needs no password; takes 3 s at most, where the network is in trouble.
bool shutting_down(const SourceSettings& settings, const Connection& plain);

}  // namespace re_dms
