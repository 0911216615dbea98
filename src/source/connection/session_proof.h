// Whether a new connection's session is the one that was asked for. A pooler in between may drop
// the settings in the start-up packet; values would then arrive in another notation, or be read
// wrongly.
#pragma once

#include "source/connection/connection.h"

namespace re_dms {

/// One round trip. Proves that the pinned settings (model/output_settings.h) are in force and that
/// a replication connection is one. Corrects what PGDATESTYLE or PGTZ in our environment has
/// changed (libpq sends them beside our own settings, and they win). Throws Refused otherwise.
void prove_session(Connection& connection, ConnectionPurpose purpose);

}  // namespace re_dms
