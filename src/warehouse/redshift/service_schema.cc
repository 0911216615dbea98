#include "warehouse/redshift/service_schema.h"

#include <utility>

#include "warehouse/service_tables.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

namespace {

/// A stored position as pg_lsn shows it.
Sql lsn_text(const Sql& position) {
  return sql("upper(to_hex({0} / 4294967296)) || '/' || upper(to_hex({0} % 4294967296))", position);
}

std::vector<Sql> adjusted_schema() {
  return {
      sql("CREATE TABLE re_dms_internal.adjusted_values (load BIGINT, source_oid BIGINT, "
          "source_schema VARCHAR(252), source_table VARCHAR(252), source_column VARCHAR(252), "
          "row_key VARCHAR(1024), below_lsn BIGINT, reason VARCHAR(252), became VARCHAR(252), "
          "original VARCHAR(1024), applied_at TIMESTAMPTZ) DISTSTYLE EVEN SORTKEY (applied_at)"),
      sql("CREATE TABLE re_dms_internal.adjusted_counts (source_oid BIGINT, "
          "source_schema VARCHAR(252), source_table VARCHAR(252), source_column VARCHAR(252), "
          "reason VARCHAR(252), adjusted BIGINT, last_at TIMESTAMPTZ) DISTSTYLE ALL"),
      sql("CREATE VIEW re_dms.adjusted_values AS SELECT source_schema, source_table, "
          "source_column, row_key, {} AS below_lsn, reason, became, original, load, applied_at "
          "FROM re_dms_internal.adjusted_values",
          lsn_text(sql("below_lsn"))),
      sql("CREATE VIEW re_dms.adjusted_counts AS SELECT source_schema, source_table, "
          "source_column, reason, adjusted, last_at FROM re_dms_internal.adjusted_counts"),
  };
}

/// What loads did, and, in the tables of the lanes, how far tables are of a load that is not over.
Sql create_loads(const Sql& name) {
  return sql(
      "CREATE TABLE re_dms_internal.{} (load BIGINT, batch BIGINT, epoch BIGINT, "
      "source_oid BIGINT, source_schema VARCHAR(252), source_table VARCHAR(252), "
      "from_lsn BIGINT, to_lsn BIGINT, first_commit TIMESTAMPTZ, last_commit TIMESTAMPTZ, "
      "inserts BIGINT, replaces BIGINT, updates BIGINT, deletes BIGINT, stored_bytes BIGINT, "
      "started_at TIMESTAMPTZ, applied_at TIMESTAMPTZ, visible_at TIMESTAMPTZ, "
      "duration_ms BIGINT) DISTSTYLE EVEN SORTKEY (applied_at)",
      name);
}

/// A select of every lane's loads.
Sql of_lanes(const Sql& columns) {
  std::vector<Sql> selects;
  for (int lane = 1; lane <= kLanesMax; ++lane) {
    selects.push_back(sql("SELECT {} FROM re_dms_internal.{}", columns, lane_loads(lane)));
  }
  return joined(selects, " UNION ALL ");
}

std::vector<Sql> lanes_schema() {
  std::vector<Sql> statements;
  for (int lane = 1; lane <= kLanesMax; ++lane) {
    statements.push_back(
        sql("CREATE TABLE re_dms_internal.{} (nothing INTEGER) DISTSTYLE ALL", lane_fence(lane)));
    statements.push_back(create_loads(lane_loads(lane)));
  }
  // Lanes write of a load what the position does not yet say.
  statements.push_back(
      sql("CREATE VIEW re_dms_internal.ahead AS SELECT l.source_oid, max(l.to_lsn) AS position "
          "FROM ({}) l JOIN re_dms_internal.position p ON l.load > p.loads GROUP BY l.source_oid",
          of_lanes(sql("load, source_oid, to_lsn"))));
  return statements;
}

std::vector<Sql> first_tables() {
  return {
      sql("CREATE SCHEMA re_dms_internal"),
      sql("CREATE TABLE re_dms_internal.source (format INTEGER, system_identifier VARCHAR(64), "
          "timeline BIGINT, database VARCHAR(252), slot VARCHAR(252), publication VARCHAR(252), "
          "created_at TIMESTAMPTZ) DISTSTYLE ALL"),
      sql("CREATE TABLE re_dms_internal.fence (bucket INTEGER, epoch BIGINT, "
          "taken_at TIMESTAMPTZ) DISTSTYLE ALL"),
      sql("CREATE TABLE re_dms_internal.position (bucket INTEGER, loaded BIGINT, loads BIGINT, "
          "last_commit TIMESTAMPTZ, loaded_at TIMESTAMPTZ) DISTSTYLE ALL"),
      sql("CREATE TABLE re_dms_internal.tables (source_oid BIGINT, bucket INTEGER, "
          "source_schema VARCHAR(252), source_table VARCHAR(252), target_schema VARCHAR(252), "
          "target_table VARCHAR(252), schema_json VARCHAR(65535), state VARCHAR(32), "
          "reason VARCHAR(65535), position BIGINT, set_aside_load BIGINT, changed_at TIMESTAMPTZ, "
          "copy_step BIGINT, initial_copy VARCHAR(32)) DISTSTYLE ALL"),
      // What of schema_json does not fit into one text.
      sql("CREATE TABLE re_dms_internal.schema_parts (source_oid BIGINT, number INTEGER, "
          "part VARCHAR(65535)) DISTSTYLE ALL"),
      create_loads(sql("loads")),
  };
}

/// Without the fences, which loads lock against readers too.
std::vector<Sql> first_views() {
  const Sql table_position =
      lsn_text(sql("greatest(t.position, a.position, CASE WHEN t.state = 'live' THEN p.loaded "
                   "ELSE 0 END)"));
  const Sql loads_columns =
      sql("load, batch, epoch, source_schema, source_table, from_lsn, to_lsn, first_commit, "
          "last_commit, inserts, replaces, updates, deletes, stored_bytes, started_at, applied_at, "
          "visible_at, duration_ms");
  return {
      sql("CREATE SCHEMA re_dms"),
      sql("CREATE VIEW re_dms.tables AS SELECT t.source_schema, t.source_table, t.target_schema, "
          "t.target_table, t.source_oid, t.state, t.reason, {} AS complete_lsn, t.changed_at, "
          "t.initial_copy FROM re_dms_internal.tables t JOIN re_dms_internal.position p "
          "ON p.bucket = t.bucket LEFT JOIN re_dms_internal.ahead a ON a.source_oid = t.source_oid",
          table_position),
      sql("CREATE VIEW re_dms.position AS SELECT {0} AS complete_lsn, CASE WHEN "
          "coalesce(t.position, 0) <= p.loaded AND coalesce(a.position, 0) <= p.loaded THEN {0} "
          "END AS consistent_lsn, p.loaded AS complete_position, "
          "p.last_commit AS last_commit_time, p.loads, p.loaded_at "
          "FROM re_dms_internal.position p LEFT JOIN (SELECT bucket, max(position) AS position "
          "FROM re_dms_internal.tables WHERE state = 'live' GROUP BY bucket) t "
          "ON t.bucket = p.bucket LEFT JOIN (SELECT 0 AS bucket, max(position) AS position "
          "FROM re_dms_internal.ahead) a ON a.bucket = p.bucket",
          lsn_text(sql("p.loaded"))),
      sql("CREATE VIEW re_dms.loads AS SELECT load, batch, epoch, source_schema, source_table, "
          "{} AS from_lsn, {} AS to_lsn, first_commit, last_commit, inserts, replaces, updates, "
          "deletes, inserts + replaces + updates + deletes AS rows, stored_bytes, started_at, "
          "applied_at, visible_at, duration_ms FROM (SELECT {} FROM re_dms_internal.loads "
          "UNION ALL {}) l",
          lsn_text(sql("from_lsn")), lsn_text(sql("to_lsn")), loads_columns,
          of_lanes(loads_columns)),
  };
}

}  // namespace

Sql lane_fence(int lane) {
  return sql("fence_{}", lane);
}

Sql lock_fences() {
  std::vector<Sql> fences;
  for (int lane = 1; lane <= kLanesMax; ++lane) {
    fences.push_back(sql("re_dms_internal.{}", lane_fence(lane)));
  }
  // Last: a lane that holds its own fence reads this one.
  fences.push_back(sql("re_dms_internal.fence"));
  return sql("LOCK {}", joined(fences));
}

Sql lock_fence_of(int lane) {
  return sql("LOCK re_dms_internal.{}", lane_fence(lane));
}

std::vector<Sql> service_schema() {
  std::vector<Sql> statements = first_tables();
  for (auto* part : {lanes_schema, first_views, adjusted_schema}) {
    for (Sql& statement : part()) {
      statements.push_back(std::move(statement));
    }
  }
  return statements;
}

}  // namespace re_dms::redshift
