// Copies of tables that nobody goes on with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/table_schema.h"
#include "warehouse/redshift/session.h"
#include "warehouse/stored_table.h"

namespace re_dms::redshift {

/// A copy that was given up and stands beside the tables.
struct CopyLeft {
  Oid table = 0;
  QualifiedName copy;
};

QualifiedName copy_name(const QualifiedName& target, Oid oid);

/// What is stored says which: a step of a copy that is not being built. `schema`: the target schema
/// of new tables; empty: the source's.
std::vector<CopyLeft> copies_left(const StoredTables& known, const std::string& schema);

/// Drops them, each in a transaction of its own, since a DROP that is refused ends it; what cannot
/// be dropped is said, and stays until its table is copied or a daemon starts. Asks the target once
/// which there are. `known` is told. False: the session is of no use any more. Throws Fatal where
/// another daemon took the target over.
bool drop_copies_left(Session& session, std::uint64_t epoch, const std::vector<CopyLeft>& copies,
                      StoredTables& known);

}  // namespace re_dms::redshift
