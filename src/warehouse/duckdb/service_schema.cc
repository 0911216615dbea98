#include "warehouse/duckdb/service_schema.h"

namespace re_dms::duckdb {

namespace {

/// A stored position as pg_lsn shows it.
Sql lsn_text(const Sql& position) {
  return sql("format('{{:X}}/{{:X}}', {0} >> 32, {0} & 4294967295)", position);
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
      sql("CREATE TABLE re_dms_internal.tables (oid BIGINT, bucket INTEGER, source_schema VARCHAR, "
          "source_table VARCHAR, target_schema VARCHAR, target_table VARCHAR, schema_json VARCHAR, "
          "state VARCHAR, reason VARCHAR, position BIGINT, set_aside_load BIGINT, "
          "changed_at TIMESTAMP WITH TIME ZONE)"),
      sql("CREATE TABLE re_dms_internal.loads (load BIGINT, batch BIGINT, epoch BIGINT, oid "
          "BIGINT, "
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
          "t.target_table, t.oid, t.state, t.reason, {} AS complete_lsn, t.changed_at "
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
  };
}

}  // namespace

std::vector<Sql> service_schema() {
  std::vector<Sql> statements = service_tables();
  statements.push_back(sql("CREATE SCHEMA re_dms"));
  for (Sql& view : service_views()) {
    statements.push_back(std::move(view));
  }
  return statements;
}

std::vector<Sql> migration() {
  // Somebody may have dropped what is for people.
  std::vector<Sql> statements = {sql("CREATE SCHEMA IF NOT EXISTS re_dms")};
  for (Sql& view : service_views()) {
    statements.push_back(std::move(view));
  }
  statements.push_back(sql("UPDATE re_dms_internal.source SET format = {}", kServiceFormat));
  return statements;
}

}  // namespace re_dms::duckdb
