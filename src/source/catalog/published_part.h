// Tables of which the publication has only some columns (a column list) or rows (a row filter).
#pragma once

#include <string>
#include <vector>

#include "model/table_schema.h"
#include "source/connection/connection.h"

namespace re_dms {

/// Names and conditions as SQL; for people.
struct PublishedPart {
  QualifiedName table;
  std::string columns;            ///< empty: all
  std::string filter;             ///< empty: all rows
  bool full = false;              ///< REPLICA IDENTITY FULL
  std::string unlisted_identity;  ///< columns of the replica identity that the list lacks
  std::string unidentified;       ///< columns of the filter that the replica identity lacks
};

/// Those that the publication names, by name; none before PostgreSQL 15.
std::vector<PublishedPart> published_parts(Connection& connection, const std::string& publication);

/// What is wrong with such a part, and what would help; empty: nothing. PostgreSQL refuses the
/// application's own UPDATE and DELETE then (PostgreSQL 15, CheckCmdReplicaIdentity).
std::string part_problem(const PublishedPart& part, const std::string& publication);

/// The SQL condition that rows of the table satisfy to be published; empty: all are. It is that of
/// the transaction's snapshot, but names columns as they are called now. Whole schemas have no
/// filter, nor have the leaves of a partitioned table that is published as its leaves, unless the
/// leaf itself is named with one (PostgreSQL 15, pgoutput_row_filter_init,
/// TransformPubWhereClauses).
std::string row_filter(Connection& connection, const std::string& publication, Oid table);

}  // namespace re_dms
