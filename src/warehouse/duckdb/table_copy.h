// The copy of a table that is built beside it, and how it takes the table's place.
#pragma once

#include "warehouse/duckdb/session.h"
#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

/// Of the copy that is to become `target`; in its schema, because DuckDB moves no table to another
/// one.
QualifiedName copy_name(const QualifiedName& target, Oid oid);

/// Drops what an earlier copy left. Throws Table when DuckDB refuses.
void drop_copy(Session& session, const QualifiedName& copy);

/// Drops the table itself, of ours.
void drop_table(Session& session, const StoredTable& table);

/// The copy of the table becomes `target`. Throws Table when something has that name.
void put_copy_in_place(Session& session, const QualifiedName& target, Oid oid);

}  // namespace re_dms::duckdb
