// The publication: what it has to be like, making it, and finding out what it is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/catalog/candidates.h"
#include "source/catalog/pattern.h"
#include "source/connection/connection.h"
#include "source/setup/first_start.h"
#include "source/setup/setup_result.h"

namespace re_dms {

struct PublicationState {
  bool all_tables = false;
  bool schemas = false;                 ///< FOR TABLES IN SCHEMA
  bool via_root = false;                ///< publish_via_partition_root
  bool every_change = true;             ///< insert, update, delete and truncate
  bool generated = false;               ///< publish_generated_columns (PostgreSQL 18)
  std::map<Oid, QualifiedName> tables;  ///< what it really publishes (leaf partitions)

  bool publishes(Oid table) const { return tables.contains(table); }
};

/// Nothing when there is no publication of that name.
std::optional<PublicationState> find_publication(Connection& connection, const std::string& name);

/// What is wrong with it, each with the statement that helps; empty: it can be used. `begun`:
/// replication has begun and would end with the publication.
std::vector<std::string> publication_problems(const PublicationState& state,
                                              const std::string& name, bool begun);

/// The tables that it publishes though the selection does not ask for them.
std::vector<QualifiedName> unselected_tables(const PublicationState& state,
                                             const TableSelection& selection);

/// The tables that it publishes and the selection asks for.
std::vector<Oid> selected_tables(const PublicationState& state, const TableSelection& selection);

/// Takes these tables out of the publication, one by one. Gives those that could not be taken out.
/// Throws Transient where another try may do: somebody holds a lock.
std::vector<LeftOut> unpublish(Connection& connection, const SourceSettings& settings,
                               const std::vector<QualifiedName>& tables);

/// What a person does about such tables.
std::string unselected_advice(const std::string& name, const std::vector<QualifiedName>& tables);

/// Throws Fatal where there are such tables: their rows would be read and journaled, which is what
/// excluding a table is meant to prevent.
void require_only_selected(const PublicationState& state, const std::string& name,
                           const TableSelection& selection);

/// Throws Fatal unless the publication exists. For replication that has already begun: if the
/// publication was altered since, the tables concerned are set aside and the others continue.
PublicationState require_publication(Connection& connection, const std::string& name);

/// Throws Fatal unless the publication exists and can be used.
PublicationState require_usable_publication(Connection& connection, const std::string& name);

/// CREATE PUBLICATION with these tables, one by one. Never FOR ALL TABLES: that would publish
/// tables without replica identity too, and the application's UPDATE of them would fail.
std::string create_publication_sql(const std::string& name,
                                   const std::vector<CandidateTable>& tables);

/// Creates the publication with the candidates that qualify, or adds those that an existing one
/// lacks, one by one; then as require_usable_publication. Waits for a table's lock (SHARE UPDATE
/// EXCLUSIVE) for lock_timeout at most and holds no other meanwhile. After an error those before
/// are published.
PublicationState ensure_publication(Connection& connection, const SourceSettings& settings,
                                    const std::vector<CandidateTable>& candidates,
                                    FirstStart& made);

struct Published {
  std::vector<Oid> added;
  std::vector<LeftOut> failed;  ///< each with the reason
};

/// Adds the candidates that the publication lacks, one by one, as ensure_publication does.
Published publish_missing(Connection& connection, const SourceSettings& settings);

/// What to do where the role may not run `sql`, which publishes tables.
std::string publishing_advice(const std::string& sql);

}  // namespace re_dms
