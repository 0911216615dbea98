#include "source/setup/slot_creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/failpoint.h"
#include "source/catalog/catalog.h"
#include "source/catalog/pattern.h"
#include "source/connection/sql_text.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"

namespace re_dms {

namespace {

/// Per table: whether re_dms may read it, and all of its rows.
struct Access {
  bool granted = false;
  bool filtered = false;
};

std::unordered_map<Oid, Access> read_access(Connection& connection, const std::vector<Oid>& oids) {
  const QueryResult result = connection.query(
      fmt::format(
          "SELECT oid, has_schema_privilege(relnamespace, 'USAGE') AND "
          "has_table_privilege(oid, 'SELECT'), row_security_active(oid) FROM pg_class WHERE "
          "oid = ANY ({})",
          oid_array(oids)),
      "asking for the right to read tables");
  std::unordered_map<Oid, Access> access;
  for (int row = 0; row < result.rows(); ++row) {
    access[result.oid(row, 0)] = {result.flag(row, 1), result.flag(row, 2)};
  }
  return access;
}

/// Whether the table can be followed from its first row. Where that cannot be told it is copied,
/// and the copy says what is in its way.
bool is_empty(Connection& connection, const CandidateTable& table, const Access& access) {
  return access.granted && !access.filtered && !holds_rows(connection, table);
}

void look_at_tables(Connection& connection, const SourceSettings& settings,
                    const std::vector<CandidateTable>& tables, SlotCreation& creation) {
  // Once more: what it is like where the stream begins counts. Later changes of it are noticed.
  require_usable_publication(connection, settings.publication);
  std::vector<Oid> oids;
  oids.reserve(tables.size());
  for (const CandidateTable& table : tables) {
    oids.push_back(table.oid);
  }
  std::unordered_map<Oid, Access> access = read_access(connection, oids);
  const TableRules rules(settings.tables);
  for (const CandidateTable& table : tables) {
    // The target may have a table already: how that one is taken over is decided where copies are.
    const bool makes_it = rules.initial_copy(table.name) == InitialCopy::Auto;
    if (makes_it && is_empty(connection, table, access[table.oid])) {
      creation.origin.admitted.push_back(table.oid);
    }
  }
  std::sort(creation.origin.admitted.begin(), creation.origin.admitted.end());
  const auto& admitted = creation.origin.admitted;
  creation.tables = read_tables(connection, settings.publication, oids);
  for (CatalogTable& table : creation.tables) {
    table.admitted = std::binary_search(admitted.begin(), admitted.end(), table.schema.oid);
  }
}

/// What the server answers; nothing where a transaction did not end in time.
std::optional<QueryResult> make_slot(Connection& replication, const SourceSettings& settings,
                                     FirstStart& made) {
  made.slot_begun(PQbackendPID(replication.raw()));
  try {
    // The keyword form is understood by every supported version.
    return replication.query_unless(
        fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput USE_SNAPSHOT",
                    quote_identifier(settings.slot)),
        "55P03", fmt::format("creating slot \"{}\"", settings.slot));
  } catch (const Error&) {
    // Without an answer it may be there, or come to be.
    if (PQstatus(replication.raw()) == CONNECTION_OK) {
      made.slot_refused();
    }
    throw;
  }
}

QueryResult create_slot(Connection& replication, const SourceSettings& settings, FirstStart& made) {
  std::optional<QueryResult> created = make_slot(replication, settings, made);
  if (created) {
    return *std::move(created);
  }
  made.slot_refused();
  Connection plain(settings, ConnectionPurpose::Sql);
  const std::string writers = describe_writers(plain);
  throw Error(
      ErrorKind::Transient,
      fmt::format("creating slot \"{}\": a transaction that writes did not end within {} "
                  "ms; open now: {}",
                  settings.slot, settings.lock_timeout.count(), writers.empty() ? "none" : writers),
      "A slot can be created only once every older transaction has ended. End the one named, or "
      "raise source.lock_timeout");
}

}  // namespace

bool holds_rows(Connection& connection, const CandidateTable& table) {
  const std::string doing = fmt::format("looking for rows in {}", to_string(table.name));
  // Ends the lock, for which a migration's ALTER would wait, and the application behind that; the
  // snapshot is the transaction's.
  connection.query("SAVEPOINT look", doing);
  // The name is looked up anew, and the file as it is now, both under the lock that FROM takes.
  const std::optional<QueryResult> found = connection.query_unless(
      fmt::format("SELECT EXISTS (SELECT 1 FROM ONLY {0}), to_regclass({1}) = {2} AND "
                  "pg_relation_filenode({2}) = (SELECT relfilenode FROM pg_class WHERE oid = {2})",
                  quote_name(table.name), quote_literal(quote_name(table.name)), table.oid),
      "42P01", doing);
  if (!found || !found->flag(0, 1)) {
    throw Error(
        ErrorKind::Transient,
        fmt::format("{} was truncated, rewritten, renamed or dropped while the slot was created",
                    to_string(table.name)),
        "Nothing is lost: the slot is dropped and created again");
  }
  connection.query("ROLLBACK TO SAVEPOINT look; RELEASE SAVEPOINT look", doing);
  return found->flag(0, 0);
}

SlotCreation create_slot_with_snapshot(const SourceSettings& settings, const Origin& identity,
                                       const std::vector<CandidateTable>& tables,
                                       FirstStart& made) {
  SlotCreation creation;
  creation.origin = identity;
  Connection replication(settings, ConnectionPurpose::Replication);
  replication.wait_at_most(settings.lock_timeout + kSetUpPatience);
  // statement_timeout does not end the creation of a slot, lock_timeout does (PostgreSQL 15).
  replication.query(fmt::format("SET lock_timeout = {}", settings.lock_timeout.count()),
                    "preparing the slot");
  replication.query("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", "preparing the slot");
  failpoint("slot-create-before");
  const QueryResult slot = create_slot(replication, settings, made);
  failpoint("slot-create-after");
  creation.origin.consistent_point = slot.lsn(0, 1);
  look_at_tables(replication, settings, tables, creation);
  replication.query("COMMIT", "ending the look at the tables");
  creation.origin.created = true;
  return creation;
}

SlotCreation adopt_slot(const SourceSettings& settings, const Origin& identity) {
  SlotCreation creation;
  creation.origin = identity;
  creation.origin.slot_is_ours = false;
  Connection plain(settings, ConnectionPurpose::Sql);
  const std::optional<SlotState> slot = find_slot(plain, settings.slot);
  if (!slot || slot->active_pid != 0) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("slot \"{}\" {}", settings.slot,
                    slot ? fmt::format("is read by process {}", slot->active_pid) : "is gone"),
        "With source.auto_setup = false the slot must exist and nobody may be reading it");
  }
  creation.origin.consistent_point = slot->confirmed_flush;
  creation.origin.created = true;
  return creation;
}

}  // namespace re_dms
