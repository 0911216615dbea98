// Tables of the target that are more than ours: their columns are found by name, others may be
// there, and no step of ours drops or makes them anew, so that what people attached to them stays.
#pragma once

#include <optional>
#include <vector>

#include "warehouse/duckdb/session.h"
#include "warehouse/duckdb/target_shape.h"
#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

/// How a kept table, which is there, differs from what rows of its schema need; nothing where they
/// fit. A copy is the remedy for all of it: what needs a person is said when that finds it.
std::optional<ShapeDifference> kept_difference(Session& session, const StoredTable& table);

/// Throws Table, with what a person can do, unless the table of the name `table.target` can take
/// rows of its schema from now on. `known`: it has taken some, so that columns may be added to it.
void require_fit(Session& session, const TargetCatalog& catalog, const StoredTable& table,
                 bool known);

/// As require_fit. The table gets the rows of `copy`, which is dropped, in place of its own, or,
/// where it began without a copy, keeps its own.
void refill(Session& session, const TargetCatalog& catalog, const QualifiedName& copy,
            const StoredTable& table, bool known);

/// The table with the columns that rows are written into, `more` of its own last: "t (a, b)".
Sql written_columns(const Session& session, const StoredTable& table,
                    const std::vector<Sql>& more = {});

/// As change_columns. A column that somebody added before is taken, whatever stood in it.
EarlierChanges add_to_kept(Session& session, const StoredTable& table,
                           const std::vector<Column>& columns, EarlierChanges earlier);

}  // namespace re_dms::duckdb
