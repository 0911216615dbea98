// Whether a new connection's session is the one that was asked for. A pooler between may drop what
// the start-up packet says; values would then arrive in another notation, or be read wrongly.
#pragma once

#include "source/connection/connection.h"

namespace re_dms {

/// One round trip. Proves that the pinned settings (model/output_settings.h) are in force and that
/// a replication connection is one. What PGDATESTYLE or PGTZ in our environment has changed (libpq
/// sends them beside our own settings, and they win) is set right. Throws Refused otherwise.
void prove_session(Connection& connection, ConnectionPurpose purpose);

}  // namespace re_dms
