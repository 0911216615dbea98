// What the source's catalog says of tables, now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/table_schema.h"
#include "source/connection/connection.h"

namespace re_dms {

/// What the catalog says of the tables that exist, in one query, ascending by OID, none admitted;
/// those that do not exist are missing from the answer. Columns are the live ones that pgoutput
/// sends: those of the publication's column list where the table has one, else all but generated
/// ones (PostgreSQL 15). The answer is about now (or the transaction's
/// snapshot), which may be ahead of the stream. `publication` is the name of ours.
std::vector<CatalogTable> read_tables(Connection& connection, const std::string& publication,
                                      const std::vector<Oid>& oids);

/// As read_tables, for all that the publication publishes now and the tables `known`. Those of
/// `known` that do not exist follow, in any order, without name, columns and publication.
std::vector<CatalogTable> read_published_tables(Connection& connection,
                                                const std::string& publication,
                                                const std::vector<Oid>& known);

/// Whether queries see what these transactions did. A walsender sends a transaction as soon as its
/// commit record is written, before others see it (PostgreSQL 15; with synchronous replication that
/// lasts until the standby answers): a catalog asked too early lacks the columns just added.
bool transactions_visible(Connection& connection, const std::vector<std::uint32_t>& xids);

}  // namespace re_dms
