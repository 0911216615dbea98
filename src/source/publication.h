// The publication: what it has to be like, making it, and finding out what it is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "source/candidates.h"
#include "source/connection.h"

namespace re_dms {

struct PublicationState {
  bool all_tables = false;
  bool schemas = false;               ///< FOR TABLES IN SCHEMA
  bool via_root = false;              ///< publish_via_partition_root
  bool every_change = true;           ///< insert, update, delete and truncate
  std::vector<std::string> filtered;  ///< tables with a row filter or a column list
  std::vector<Oid> tables;            ///< what it really publishes (leaf partitions), ascending

  bool publishes(Oid table) const;
};

/// Nothing when there is no publication of that name.
std::optional<PublicationState> find_publication(Connection& connection, const std::string& name);

/// What is wrong with it, each with the statement that helps; empty: it can be used.
std::vector<std::string> publication_problems(const PublicationState& state,
                                              const std::string& name);

/// Throws Fatal unless the publication exists and can be used.
PublicationState require_publication(Connection& connection, const std::string& name);

/// CREATE PUBLICATION with these tables, one by one. Never FOR ALL TABLES: that would publish
/// tables without replica identity too, and the application's UPDATE of them would fail.
std::string create_publication_sql(const std::string& name,
                                   const std::vector<CandidateTable>& tables);

/// Creates the publication with the candidates that qualify, or adds those that an existing one
/// lacks; then as require_publication. Waits for a table's lock for lock_timeout at most; nobody
/// queues behind that wait (SHARE UPDATE EXCLUSIVE).
PublicationState ensure_publication(Connection& connection, const SourceSettings& settings,
                                    const std::vector<CandidateTable>& candidates);

}  // namespace re_dms
