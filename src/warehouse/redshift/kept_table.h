// Tables of the target that are more than ours: their columns are found by name, others may be
// there, and no step of ours drops or makes them anew, so that what people attached to them stays.
#pragma once

#include "warehouse/redshift/session.h"
#include "warehouse/stored_table.h"

namespace re_dms::redshift {

/// Throws Table, with what a person can do, unless the table of the name `table.target` can take
/// rows of its schema from now on. `known`: it has taken some, so that columns may be added to it.
void require_fit(Session& session, const StoredTable& table, bool known);

/// As require_fit. The table gets the rows of `copy`, which is dropped, in place of its own, or,
/// where it began without a copy, keeps its own.
void refill(Session& session, const QualifiedName& copy, const StoredTable& table, bool known);

}  // namespace re_dms::redshift
