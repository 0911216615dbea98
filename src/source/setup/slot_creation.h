// First start: creates the slot and finds out which tables were empty when it began.
#pragma once

#include <functional>
#include <vector>

#include "model/origin.h"
#include "source/catalog/candidates.h"
#include "source/connection/connection.h"
#include "source/settings.h"
#include "source/setup/first_start.h"
#include "source/setup/setup_result.h"

namespace re_dms {

/// Creates the slot and looks at `tables` in its snapshot. No lock is held while the slot is
/// created (ACCESS SHARE taken before it and a waiting ALTER would be a deadlock that no detector
/// sees), and one at a time afterwards; what happened to a table between snapshot and look shows in
/// its file node and is a Transient error, as is a lock not got within lock_timeout. After an error
/// `made` takes the slot back, once the connection used here is closed. `identity` becomes the
/// result's origin.
SlotCreation create_slot_with_snapshot(const SourceSettings& settings, const Origin& identity,
                                       const std::vector<CandidateTable>& tables, FirstStart& made);

/// For a slot that somebody else has created (auto_setup = false). No table is admitted: a writer
/// that was open when its table was published would be missed (PostgreSQL 15 decides for each
/// change whether its table was published when it was made), and nobody knows whether the slot
/// waited for it.
SlotCreation adopt_slot(const SourceSettings& settings, const Origin& identity);

/// Whether the table holds rows in the snapshot of the connection's transaction, asked under a lock
/// of its own (ACCESS SHARE) that is released on return. Throws Transient when it was truncated,
/// rewritten, renamed or dropped since the snapshot: it looks empty in it then, without any error
/// (PostgreSQL 15, mvcc-caveats), and only its file node tells.
bool holds_rows(Connection& connection, const CandidateTable& table);

}  // namespace re_dms
