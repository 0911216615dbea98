#include "warehouse/duckdb/service_schema.h"

#include <algorithm>

#include "warehouse/service_tables.h"

namespace re_dms::duckdb {

namespace {

/// A stored position as pg_lsn shows it.
Sql lsn_text(const Sql& position) {
  return sql("format('{{:X}}/{{:X}}', {0} >> 32, {0} & 4294967295)", position);
}

/// They came with format 6.
std::vector<Sql> adjusted_tables() {
  return {
      sql("CREATE TABLE IF NOT EXISTS re_dms_internal.adjusted_values (load BIGINT, "
          "source_oid BIGINT, source_schema VARCHAR, source_table VARCHAR, source_column VARCHAR, "
          "row_key VARCHAR, below_lsn BIGINT, reason VARCHAR, became VARCHAR, original VARCHAR, "
          "applied_at TIMESTAMP WITH TIME ZONE)"),
      sql("CREATE TABLE IF NOT EXISTS re_dms_internal.adjusted_counts (source_oid BIGINT, "
          "source_schema VARCHAR, source_table VARCHAR, source_column VARCHAR, reason VARCHAR, "
          "adjusted BIGINT, last_at TIMESTAMP WITH TIME ZONE)"),
  };
}

std::vector<Sql> service_tables() {
  return {
      sql("CREATE SCHEMA re_dms_internal"),
      sql("CREATE TABLE re_dms_internal.source (format INTEGER, system_identifier VARCHAR, "
          "timeline BIGINT, database VARCHAR, slot VARCHAR, publication VARCHAR, "
          "created_at TIMESTAMP WITH TIME ZONE)"),
      sql("CREATE TABLE re_dms_internal.fence (bucket INTEGER, epoch BIGINT, "
          "taken_at TIMESTAMP WITH TIME ZONE)"),
      sql("CREATE TABLE re_dms_internal.position (bucket INTEGER, loaded BIGINT, loads BIGINT, "
          "last_commit TIMESTAMP WITH TIME ZONE, loaded_at TIMESTAMP WITH TIME ZONE)"),
      sql("CREATE TABLE re_dms_internal.tables (source_oid BIGINT, bucket INTEGER, source_schema "
          "VARCHAR, "
          "source_table VARCHAR, target_schema VARCHAR, target_table VARCHAR, schema_json VARCHAR, "
          "state VARCHAR, reason VARCHAR, position BIGINT, set_aside_load BIGINT, "
          "changed_at TIMESTAMP WITH TIME ZONE, copy_step BIGINT, initial_copy VARCHAR)"),
      sql("CREATE TABLE re_dms_internal.loads (load BIGINT, batch BIGINT, epoch BIGINT, "
          "source_oid BIGINT, "
          "source_schema VARCHAR, source_table VARCHAR, from_lsn BIGINT, to_lsn BIGINT, "
          "first_commit TIMESTAMP WITH TIME ZONE, last_commit TIMESTAMP WITH TIME ZONE, "
          "inserts BIGINT, replaces BIGINT, updates BIGINT, deletes BIGINT, stored_bytes BIGINT, "
          "started_at TIMESTAMP WITH TIME ZONE, applied_at TIMESTAMP WITH TIME ZONE, "
          "visible_at TIMESTAMP WITH TIME ZONE, duration_ms BIGINT)"),
  };
}

std::vector<Sql> service_views() {
  // A live table is loaded as far as all are, or further: tables without changes cost no update.
  const Sql table_position = lsn_text(
      sql("(CASE WHEN t.state = 'live' THEN greatest(p.loaded, t.position) ELSE t.position END)"));
  return {
      sql("CREATE OR REPLACE VIEW re_dms.tables AS SELECT t.source_schema, t.source_table, "
          "t.target_schema, "
          "t.target_table, t.source_oid, t.state, t.reason, {} AS complete_lsn, t.changed_at, "
          "coalesce(t.initial_copy, 'auto') AS initial_copy "
          "FROM re_dms_internal.tables t JOIN re_dms_internal.position p USING (bucket) "
          "ORDER BY t.source_schema, t.source_table",
          table_position),
      // Where a batch takes several transactions, some tables are ahead until the last one.
      sql("CREATE OR REPLACE VIEW re_dms.position AS SELECT {0} AS complete_lsn, "
          "CASE WHEN NOT EXISTS (SELECT 1 FROM re_dms_internal.tables t WHERE t.bucket = p.bucket "
          "AND t.state = 'live' AND t.position > p.loaded) THEN {0} END AS consistent_lsn, "
          "p.loaded AS complete_position, p.last_commit AS last_commit_time, f.epoch, p.loads, "
          "p.loaded_at FROM re_dms_internal.position p JOIN re_dms_internal.fence f USING (bucket)",
          lsn_text(sql("p.loaded"))),
      sql("CREATE OR REPLACE VIEW re_dms.loads AS SELECT load, batch, epoch, source_schema, "
          "source_table, "
          "{} AS from_lsn, {} AS to_lsn, first_commit, last_commit, inserts, replaces, updates, "
          "deletes, inserts + replaces + updates + deletes AS rows, stored_bytes, started_at, "
          "applied_at, visible_at, duration_ms FROM re_dms_internal.loads",
          lsn_text(sql("from_lsn")), lsn_text(sql("to_lsn"))),
      sql("CREATE OR REPLACE VIEW re_dms.adjusted_values AS SELECT source_schema, source_table, "
          "source_column, row_key, {} AS below_lsn, reason, became, original, load, applied_at "
          "FROM re_dms_internal.adjusted_values",
          lsn_text(sql("below_lsn"))),
      sql("CREATE OR REPLACE VIEW re_dms.adjusted_counts AS SELECT source_schema, source_table, "
          "source_column, reason, adjusted, last_at FROM re_dms_internal.adjusted_counts"),
  };
}

}  // namespace

std::vector<Sql> service_schema() {
  std::vector<Sql> statements = service_tables();
  for (Sql& table : adjusted_tables()) {
    statements.push_back(std::move(table));
  }
  statements.push_back(sql("CREATE SCHEMA re_dms"));
  for (Sql& view : service_views()) {
    statements.push_back(std::move(view));
  }
  return statements;
}

std::vector<Sql> migration(Session& session) {
  std::vector<Sql> statements;
  // In DuckDB ALTER TABLE comes before any UPDATE of the same table in a transaction.
  for (const Sql& table : {sql("tables"), sql("loads")}) {
    const auto columns = session.columns({"re_dms_internal", table.text()});
    if (std::ranges::any_of(columns, [](const Row& column) { return column.at(0) == "oid"; })) {
      statements.push_back(
          sql("ALTER TABLE re_dms_internal.{} RENAME COLUMN oid TO source_oid", table));
    }
  }
  for (Sql& statement : std::vector<Sql>{
           sql("ALTER TABLE re_dms_internal.tables ADD COLUMN IF NOT EXISTS copy_step BIGINT"),
           sql("ALTER TABLE re_dms_internal.tables ADD COLUMN IF NOT EXISTS initial_copy VARCHAR"),
           sql("UPDATE re_dms_internal.tables SET state = 'set aside' WHERE state = "
               "'needs_resync'"),
           // Somebody may have dropped what is for people.
           sql("CREATE SCHEMA IF NOT EXISTS re_dms")}) {
    statements.push_back(std::move(statement));
  }
  for (Sql& table : adjusted_tables()) {
    statements.push_back(std::move(table));
  }
  for (Sql& view : service_views()) {
    statements.push_back(std::move(view));
  }
  statements.push_back(sql("UPDATE re_dms_internal.source SET format = {}", kServiceFormat));
  return statements;
}

}  // namespace re_dms::duckdb
