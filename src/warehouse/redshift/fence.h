// The locks that keep loads apart.
#pragma once

#include "warehouse/redshift/session.h"

namespace re_dms::redshift {

/// Begins a transaction that writes to the service tables: waits until every other one, of lanes
/// too, is over. Throws Transient, with the session to end, when somebody else's does not end for a
/// while; one that this process lost is ended.
void begin_behind_fences(Session& session);

/// The same for a lane's transaction, which writes to the lane's own tables. 1 to kLanesMax.
void begin_behind_fence(Session& session, int lane);

}  // namespace re_dms::redshift
