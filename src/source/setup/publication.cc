#include "source/setup/publication.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/failpoint.h"
#include "observe/advice.h"
#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

std::string table_list(const std::vector<QualifiedName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const QualifiedName& table : tables) {
    // ONLY: tables that inherit from this one are candidates of their own.
    names.push_back("ONLY " + quote_name(table));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string table_list(const std::vector<CandidateTable>& tables) {
  std::vector<QualifiedName> names;
  names.reserve(tables.size());
  for (const CandidateTable& table : tables) {
    names.push_back(table.name);
  }
  return table_list(names);
}

std::vector<CandidateTable> qualified(const std::vector<CandidateTable>& candidates) {
  std::vector<CandidateTable> tables;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(tables),
               [](const CandidateTable& table) { return table.problem.empty(); });
  return tables;
}

std::string add_table_sql(const std::string& name, const std::vector<CandidateTable>& tables) {
  return fmt::format("ALTER PUBLICATION {} ADD TABLE {}", quote_identifier(name),
                     table_list(tables));
}

Error setup_error(Error error, const std::string& sql) {
  if (error.kind() != ErrorKind::Fatal) {
    return error;
  }
  return {ErrorKind::Fatal, error.message(), publishing_advice(sql)};
}

}  // namespace

std::string publishing_advice(const std::string& sql) {
  return fmt::format(
      "Publishing a table requires its owner's rights; creating a publication requires CREATE on "
      "the database. Have somebody with these rights run: {}",
      sql);
}

std::optional<PublicationState> find_publication(Connection& connection, const std::string& name) {
  const bool knows_schemas = connection.server_version() >= kPostgres15;
  const std::string literal = quote_literal(name);
  const QueryResult found = connection.query(
      fmt::format("SELECT puballtables, pubviaroot, pubinsert AND pubupdate AND pubdelete AND "
                  "pubtruncate, {}, coalesce(to_jsonb(p) ->> 'pubgencols', 'n') <> 'n' "
                  "FROM pg_publication p WHERE pubname = {}",
                  knows_schemas
                      ? "EXISTS (SELECT 1 FROM pg_publication_namespace s WHERE s.pnpubid "
                        "= p.oid)"
                      : "false",
                  literal),
      "looking for the publication");
  if (found.rows() == 0) {
    return std::nullopt;
  }
  PublicationState state;
  state.all_tables = found.flag(0, 0);
  state.via_root = found.flag(0, 1);
  state.every_change = found.flag(0, 2);
  state.schemas = found.flag(0, 3);
  state.generated = found.flag(0, 4);
  // The view knows what all kinds of publications publish; of those with whole schemas only the
  // refusal counts.
  const QueryResult tables = connection.query(
      state.all_tables || state.schemas
          ? fmt::format("SELECT c.oid, schemaname, tablename FROM pg_publication_tables t JOIN "
                        "pg_namespace n ON n.nspname = t.schemaname JOIN pg_class c ON "
                        "c.relnamespace = n.oid AND c.relname = t.tablename WHERE t.pubname = {}",
                        literal)
          : fmt::format("SELECT c.oid, nspname, relname FROM pg_class c JOIN pg_namespace n ON "
                        "n.oid = relnamespace WHERE c.oid IN ({})",
                        published_oids(name)),
      "reading the publication's tables");
  for (int row = 0; row < tables.rows(); ++row) {
    state.tables[tables.oid(row, 0)] = {std::string(tables.text(row, 1)),
                                        std::string(tables.text(row, 2))};
  }
  return state;
}

std::vector<std::string> publication_problems(const PublicationState& state,
                                              const std::string& name, bool begun) {
  const std::string quoted = quote_identifier(name);
  std::vector<std::string> problems;
  if (state.all_tables || state.schemas) {
    problems.push_back(fmt::format(
        "it publishes {}, so every new table without a primary key breaks the application's own "
        "UPDATE: {}",
        state.all_tables ? "FOR ALL TABLES" : "FOR TABLES IN SCHEMA",
        begun && state.schemas
            ? fmt::format("ALTER PUBLICATION {} DROP TABLES IN SCHEMA with the schemas it names",
                          quoted)
            : fmt::format("DROP PUBLICATION {} and let re_dms create one that lists its tables",
                          quoted)));
  }
  if (!state.every_change) {
    problems.push_back(fmt::format(
        "it leaves out some kinds of change: ALTER PUBLICATION {} SET (publish = 'insert, update, "
        "delete, truncate')",
        quoted));
  }
  if (state.via_root) {
    problems.push_back(fmt::format(
        "it publishes partitions as their root, which hides TRUNCATE and DETACH of a partition: "
        "ALTER PUBLICATION {} SET (publish_via_partition_root = false)",
        quoted));
  }
  if (state.generated) {
    problems.push_back(fmt::format(
        "it publishes generated columns, which re_dms does not replicate: ALTER PUBLICATION {} SET "
        "(publish_generated_columns = none)",
        quoted));
  }
  return problems;
}

std::vector<QualifiedName> unselected_tables(const PublicationState& state,
                                             const TableSelection& selection) {
  std::vector<QualifiedName> unselected;
  for (const auto& [oid, table] : state.tables) {
    if (!selection.matches(table)) {
      unselected.push_back(table);
    }
  }
  return unselected;
}

std::vector<Oid> selected_tables(const PublicationState& state, const TableSelection& selection) {
  std::vector<Oid> selected;
  for (const auto& [oid, table] : state.tables) {
    if (selection.matches(table)) {
      selected.push_back(oid);
    }
  }
  return selected;
}

std::string unselected_advice(const std::string& name, const std::vector<QualifiedName>& tables) {
  return fmt::format(
      "Their rows would be read and kept in the journal. Either ALTER PUBLICATION {} DROP TABLE "
      "{}; or change source.include and source.exclude to select these tables",
      quote_identifier(name), table_list(tables));
}

void require_only_selected(const PublicationState& state, const std::string& name,
                           const TableSelection& selection) {
  const std::vector<QualifiedName> tables = unselected_tables(state, selection);
  if (tables.empty()) {
    return;
  }
  std::vector<std::string> names;
  for (const QualifiedName& table : tables) {
    names.push_back(to_string(table));
  }
  throw Error(ErrorKind::Fatal,
              fmt::format("the publication \"{}\" publishes tables that source.include and "
                          "source.exclude leave out: {}",
                          name, fmt::join(names, ", ")),
              unselected_advice(name, tables));
}

PublicationState require_publication(Connection& connection, const std::string& name) {
  std::optional<PublicationState> state = find_publication(connection, name);
  if (!state) {
    throw Error(ErrorKind::Fatal, fmt::format("the publication \"{}\" does not exist", name),
                begin_anew("Changes since it was dropped cannot be recovered, and a new "
                           "publication of that name does not bring them back. "));
  }
  return *std::move(state);
}

PublicationState require_usable_publication(Connection& connection, const std::string& name) {
  PublicationState state = require_publication(connection, name);
  if (const auto problems = publication_problems(state, name, false); !problems.empty()) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the publication \"{}\" cannot be used: {}", name, fmt::join(problems, "; ")),
        "Or name another publication in source.publication");
  }
  return state;
}

std::string create_publication_sql(const std::string& name,
                                   const std::vector<CandidateTable>& tables) {
  return fmt::format(
      "CREATE PUBLICATION {}{} WITH (publish = 'insert, update, delete, truncate', "
      "publish_via_partition_root = false)",
      quote_identifier(name), tables.empty() ? "" : " FOR TABLE " + table_list(tables));
}

std::vector<LeftOut> unpublish(Connection& connection, const SourceSettings& settings,
                               const std::vector<QualifiedName>& tables) {
  connection.query(fmt::format("SET lock_timeout = {}", settings.lock_timeout.count()),
                   "preparing the publication");
  std::vector<LeftOut> failed;
  for (const QualifiedName& table : tables) {
    const std::string sql =
        fmt::format("ALTER PUBLICATION {} DROP TABLE {}", quote_identifier(settings.publication),
                    table_list({table}));
    try {
      connection.query(sql, fmt::format("taking {} out of the publication", to_string(table)));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Transient) {
        throw;
      }
      failed.push_back({table, setup_error(error, sql).what(), true});
    }
  }
  return failed;
}

Published publish_missing(Connection& connection, const SourceSettings& settings) {
  const PublicationState publication = require_publication(connection, settings.publication);
  std::vector<CandidateTable> missing =
      qualified(list_candidates(connection, TableSelection(settings.include, settings.exclude)));
  std::erase_if(missing, [&](const CandidateTable& t) { return publication.publishes(t.oid); });
  connection.query(fmt::format("SET lock_timeout = {}", settings.lock_timeout.count()),
                   "preparing the publication");
  Published published;
  for (const CandidateTable& table : missing) {
    const std::string sql = add_table_sql(settings.publication, {table});
    try {
      failpoint("publish-table-before");
      connection.query(sql, fmt::format("publishing {}", to_string(table.name)));
      published.added.push_back(table.oid);
      failpoint("publish-table-after");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Transient && PQstatus(connection.raw()) != CONNECTION_OK) {
        throw;
      }
      published.failed.push_back({table.name, setup_error(error, sql).what(), true});
    }
  }
  return published;
}

PublicationState ensure_publication(Connection& connection, const SourceSettings& settings,
                                    const std::vector<CandidateTable>& candidates,
                                    FirstStart& made) {
  const std::string& name = settings.publication;
  const std::optional<PublicationState> existing = find_publication(connection, name);
  std::vector<CandidateTable> tables = qualified(candidates);
  if (existing && !publication_problems(*existing, name, false).empty()) {
    return require_usable_publication(connection, name);
  }
  if (existing) {
    std::erase_if(tables, [&](const CandidateTable& t) { return existing->publishes(t.oid); });
  }
  connection.wait_at_most(settings.lock_timeout + kSetUpPatience);
  // What is lost with the server's power is lost with the slot, which flushes the WAL before it.
  connection.query(fmt::format("SET lock_timeout = {}; SET synchronous_commit = off",
                               settings.lock_timeout.count()),
                   "preparing the publication");
  try {
    failpoint("publication-before");
    if (!existing) {
      connection.query(create_publication_sql(name, {}), "creating the publication");
      made.publication_made();
    }
    // One by one: a lock that is waited for must not keep others held.
    for (const CandidateTable& table : tables) {
      connection.query(add_table_sql(name, {table}),
                       fmt::format("publishing {}", to_string(table.name)));
    }
    failpoint("publication-after");
  } catch (const Error& error) {
    throw setup_error(
        error, existing ? add_table_sql(name, tables) : create_publication_sql(name, tables));
  }
  connection.query("RESET lock_timeout; RESET synchronous_commit", "preparing the publication");
  return require_usable_publication(connection, name);
}

}  // namespace re_dms
