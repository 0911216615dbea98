#include "source/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "source/sql_text.h"

namespace re_dms {

namespace {

// - Domains are followed to their base; the innermost domain's typmod counts (PostgreSQL 15,
//   getBaseTypeAndTypmod).
// - A true array is one that array_out prints: int2vector has typcategory 'A' too.
// - attmissingval is an array of one element. Printed as an array and read as text[] it gives the
//   element's text, except for box, whose delimiter is ';' and which needs no quotes.
// - Key columns of an index are the first indnkeyatts; the rest is INCLUDE.
constexpr std::string_view kTables = R"(
WITH RECURSIVE col AS (
  SELECT c.oid AS relid, n.nspname, c.relname, c.relreplident, c.relfilenode, c.relnatts,
         (SELECT coalesce(max(d.attnum), 0) FROM pg_attribute d
           WHERE d.attrelid = c.oid AND d.attnum > 0 AND d.attisdropped) AS last_dropped,
         a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
         a.attmissingval::text AS missing
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                            AND a.attgenerated = ''
   WHERE c.oid = ANY ({})
), base AS (
  SELECT DISTINCT atttypid AS id, atttypid AS base_id, NULL::integer AS base_typmod FROM col
  UNION ALL
  SELECT base.id, t.typbasetype, t.typtypmod
    FROM base JOIN pg_type t ON t.oid = base.base_id AND t.typtype = 'd'
), identity AS (
  SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
   WHERE i.indrelid = ANY ({}) AND i.indisunique AND i.indisvalid AND i.indimmediate
     AND i.indpred IS NULL
     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
)
SELECT col.relid, col.nspname, col.relname, col.relreplident,
       col.attnum, col.attname, col.atttypid, col.atttypmod,
       format_type(col.atttypid, col.atttypmod), t.typtype, t.oid,
       coalesce(base.base_typmod, col.atttypmod),
       CASE WHEN t.typoutput = 'array_out'::regproc THEN t.typelem ELSE 0 END,
       coalesce(col.attnum = ANY (identity.key), false),
       col.attnotnull,
       CASE WHEN t.typdelim = ',' THEN (col.missing::text[])[1]
            ELSE substr(col.missing, 2, length(col.missing) - 2) END,
       col.relfilenode, col.relnatts, col.last_dropped
  FROM col
  LEFT JOIN base ON base.id = col.atttypid
  LEFT JOIN pg_type t ON t.oid = base.base_id
  LEFT JOIN identity ON identity.indrelid = col.relid
 WHERE t.typtype IS DISTINCT FROM 'd'
 ORDER BY col.relid, col.attnum)";

char first_character(std::string_view text) {
  return text.empty() ? '\0' : text.front();
}

Column column_at(const QueryResult& result, int row) {
  Column column;
  column.attnum = static_cast<std::int16_t>(result.number(row, 4));
  column.name = result.text(row, 5);
  column.type.oid = result.oid(row, 6);
  column.type.typmod = static_cast<std::int32_t>(result.number(row, 7));
  column.type.name = result.text(row, 8);
  column.type.kind = first_character(result.text(row, 9));
  column.type.base_oid = result.oid(row, 10);
  column.type.base_typmod = static_cast<std::int32_t>(result.number(row, 11));
  column.type.element_oid = result.oid(row, 12);
  column.key = result.flag(row, 13);
  column.not_null = result.flag(row, 14);
  column.missing = result.optional_text(row, 15);
  return column;
}

// The stream's xids have 32 bits; the snapshot's upper end gives the rest.
constexpr std::string_view kVisible = R"(
SELECT coalesce(bool_and(pg_visible_in_snapshot(
         (near - CASE WHEN near - top > 2147483648 THEN 4294967296 ELSE 0 END)::text::xid8, snap)),
       true)
  FROM (SELECT snap, top, (top & ~4294967295) + xid AS near
          FROM (SELECT pg_current_snapshot() AS snap,
                       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS top) s,
               unnest('{{{}}}'::bigint[]) AS xid) n)";

}  // namespace

bool transactions_visible(Connection& connection, const std::vector<std::uint32_t>& xids) {
  return connection
      .query(fmt::format(kVisible, fmt::join(xids, ",")), "asking whether a transaction is visible")
      .flag(0, 0);
}

std::vector<TableSchema> read_tables(Connection& connection, const std::vector<Oid>& oids) {
  const std::string wanted = oid_array(oids);
  const QueryResult result =
      connection.query(fmt::format(kTables, wanted, wanted), "reading the source's catalog");
  std::vector<TableSchema> tables;
  for (int row = 0; row < result.rows(); ++row) {
    if (tables.empty() || tables.back().oid != result.oid(row, 0)) {
      TableSchema& table = tables.emplace_back();
      table.oid = result.oid(row, 0);
      table.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
      table.identity = static_cast<ReplicaIdentity>(first_character(result.text(row, 3)));
      table.history.file_node = result.oid(row, 16);
      table.history.last_attnum = static_cast<std::int16_t>(result.number(row, 17));
      table.history.last_dropped = static_cast<std::int16_t>(result.number(row, 18));
    }
    // A table may have no column at all.
    if (!result.is_null(row, 4)) {
      tables.back().columns.push_back(column_at(result, row));
    }
  }
  return tables;
}

}  // namespace re_dms
