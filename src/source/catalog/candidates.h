// The tables of the source that a selection asks for, and which of them can be replicated.
#pragma once

#include <string>
#include <vector>

#include "model/table_schema.h"
#include "source/catalog/pattern.h"
#include "source/connection/connection.h"

namespace re_dms {

struct CandidateTable {
  Oid oid = 0;
  QualifiedName name;
  /// Why the table cannot be published, with what would help; empty: it can. Publishing a table
  /// without usable replica identity would make the application's own UPDATE and DELETE fail.
  std::string problem;
};

/// Ordinary tables and leaf partitions that match, permanent or unlogged, by name.
std::vector<CandidateTable> list_candidates(Connection& connection,
                                            const TableSelection& selection);

}  // namespace re_dms
