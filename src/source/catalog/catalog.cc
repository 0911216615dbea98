#include "source/catalog/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"
#include "source/catalog/type_parts.h"
#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

// - Domains are followed to their base; the innermost domain's typmod counts (PostgreSQL 15,
//   getBaseTypeAndTypmod).
// - A true array is one that array_out prints: int2vector has typcategory 'A' too.
// - attmissingval is an array of one element, an array itself where the column is one;
//   array_to_string gives what the element's output function prints, unquoted (PostgreSQL 15,
//   array_to_text).
// - Key columns of an index are the first indnkeyatts; the rest is INCLUDE.
// - A leaf partition is in the publication by itself or by an ancestor; DETACH and ATTACH between
//   two answers write pg_inherits anew.
// - A column list is that of the row which names the table itself: a partitioned table has none
//   while its leaves are published as themselves, and no publication has lists beside whole schemas
//   (PostgreSQL 15, CheckPubRelationColumnList). It alone decides what is sent; without one,
//   generated columns are not (pgoutput.c, send_relation_and_attrs; a list with such a column is
//   possible from PostgreSQL 18 on).
// - The position is asked for during execution, so after the snapshot was taken. The highest of the
//   rows' counts: functions such as format_type look beyond the snapshot. Where none of the tables
//   exists, one row of nulls gives it.
constexpr std::string_view kTables = R"(
WITH RECURSIVE col AS (
  SELECT c.oid AS relid, n.nspname, c.relname, c.relreplident, c.relfilenode, c.relnatts,
         (SELECT coalesce(max(d.attnum), 0) FROM pg_attribute d
           WHERE d.attrelid = c.oid AND d.attnum > 0 AND d.attisdropped) AS last_dropped,
         a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
         array_to_string(a.attmissingval, '') AS missing
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_publication_rel r ON r.prrelid = c.oid AND r.prpubid = (SELECT oid FROM pub)
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                            AND {sent}
   WHERE c.oid = ANY ({wanted})
), sent AS (
  SELECT relid, array_agg(attnum) AS attnums FROM col WHERE attnum IS NOT NULL GROUP BY relid
), base AS (
  SELECT DISTINCT atttypid AS id, atttypid AS base_id, NULL::integer AS base_typmod FROM col
  UNION ALL
  SELECT base.id, t.typbasetype, t.typtypmod
    FROM base JOIN pg_type t ON t.oid = base.base_id AND t.typtype = 'd'
), identity AS (
  SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
   WHERE i.indrelid = ANY ({wanted}) AND i.indisunique AND i.indisvalid AND i.indimmediate
     AND i.indpred IS NULL
     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
), primary_key AS (
  SELECT indrelid, indexrelid,
         array_to_string((indkey::int2[])[0:indnkeyatts - 1], ',') AS attnums
    FROM pg_index
   WHERE indrelid = ANY ({wanted}) AND indisprimary AND indisvalid AND indisready AND indimmediate
), pub AS (
  SELECT oid, xmin::text AS xmin, puballtables FROM pg_publication WHERE pubname = {publication}
), ancestor AS (
  SELECT oid AS relid, oid AS at, 0 AS depth, '' AS up FROM pg_class WHERE oid = ANY ({wanted})
  UNION ALL
  SELECT a.relid, i.inhparent, a.depth + 1,
         a.up || ',' || i.inhparent::text || ',' || i.xmin::text
    FROM ancestor a
    JOIN pg_class c ON c.oid = a.at AND c.relispartition
    JOIN pg_inherits i ON i.inhrelid = a.at
), way AS (
  SELECT DISTINCT ON (relid) relid, row_oid::text || ',' || row_xmin || up AS steps
    FROM (SELECT a.relid, a.depth, a.up, 0 AS kind, r.oid AS row_oid, r.xmin::text AS row_xmin
            FROM ancestor a JOIN pg_publication_rel r ON r.prrelid = a.at
            JOIN pub ON pub.oid = r.prpubid{schemas}) named
   ORDER BY relid, kind, depth
)
SELECT col.relid, col.nspname, col.relname, col.relreplident,
       col.attnum, col.attname, col.atttypid, col.atttypmod,
       format_type(col.atttypid, col.atttypmod), t.typtype, t.oid,
       coalesce(base.base_typmod, col.atttypmod),
       CASE WHEN t.typoutput = 'array_out'::regproc THEN t.typelem ELSE 0 END,
       coalesce(col.attnum = ANY (identity.key), false),
       col.attnotnull,
       col.missing, col.relfilenode, col.relnatts, col.last_dropped,
       primary_key.indexrelid, primary_key.attnums,
       pub.oid::text || ',' || pub.xmin || coalesce(',' || way.steps, ''),
       pub.puballtables OR way.steps IS NOT NULL,
       coalesce(NOT identity.key <@ coalesce(sent.attnums, ARRAY[]::int2[]), false),
       pg_current_wal_insert_lsn()
  FROM (SELECT) always
  LEFT JOIN col ON true
  LEFT JOIN base ON base.id = col.atttypid
  LEFT JOIN pg_type t ON t.oid = base.base_id
  LEFT JOIN identity ON identity.indrelid = col.relid
  LEFT JOIN sent ON sent.relid = col.relid
  LEFT JOIN primary_key ON primary_key.indrelid = col.relid
  LEFT JOIN way ON way.relid = col.relid
  LEFT JOIN pub ON true
 WHERE t.typtype IS DISTINCT FROM 'd'
 ORDER BY col.relid, col.attnum)";

/// FOR TABLES IN SCHEMA, since PostgreSQL 15.
constexpr std::string_view kSchemas = R"(
          UNION ALL
          SELECT a.relid, a.depth, a.up, 1, n.oid, n.xmin::text
            FROM ancestor a JOIN pg_class c ON c.oid = a.at
            JOIN pg_publication_namespace n ON n.pnnspid = c.relnamespace
            JOIN pub ON pub.oid = n.pnpubid)";

/// Whether the publication sends a column.
constexpr std::string_view kSent =
    "coalesce(a.attnum = ANY (r.prattrs::int2[]), a.attgenerated = '')";
/// Before PostgreSQL 15 there are no column lists.
constexpr std::string_view kSentWithoutLists = "a.attgenerated = ''";

char first_character(std::string_view text) {
  return text.empty() ? '\0' : text.front();
}

/// "1,2,3".
template <typename T>
std::vector<T> numbers(std::string_view text) {
  std::vector<T> found;
  while (!text.empty()) {
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    RE_DMS_CHECK(error == std::errc());
    found.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return found;
}

/// OID and xmin of one row after the other.
Publishing publishing(std::string_view text) {
  const auto found = numbers<std::uint32_t>(text);
  Publishing publishing{{found.at(0), found.at(1)}, {}};
  for (std::size_t i = 2; i + 1 < found.size(); i += 2) {
    publishing.path.push_back({found[i], found[i + 1]});
  }
  return publishing;
}

CatalogTable table_at(const QueryResult& result, int row) {
  CatalogTable table;
  TableSchema& schema = table.schema;
  schema.oid = result.oid(row, 0);
  schema.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
  schema.identity = static_cast<ReplicaIdentity>(first_character(result.text(row, 3)));
  schema.history.file_node = result.oid(row, 16);
  schema.history.last_attnum = static_cast<std::int16_t>(result.number(row, 17));
  schema.history.last_dropped = static_cast<std::int16_t>(result.number(row, 18));
  if (!result.is_null(row, 19)) {
    table.primary_key = {result.oid(row, 19), numbers<std::int16_t>(result.text(row, 20))};
  }
  table.unsent_key = result.flag(row, 23);
  if (result.flag(row, 22)) {
    schema.publication = publishing(result.text(row, 21));
  }
  return table;
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

/// Escapes what is not UTF-8, and notes it.
void make_readable(std::string& text, std::string_view what, std::string& unreadable) {
  if (!is_utf8(text)) {
    text = readable(text);
    unreadable += fmt::format("{}{} {}", unreadable.empty() ? "" : ", ", what, text);
  }
}

void make_readable(CatalogTable& table) {
  TableSchema& schema = table.schema;
  make_readable(schema.name.schema, "the schema", table.unreadable);
  make_readable(schema.name.name, "the table", table.unreadable);
  for (Column& column : schema.columns) {
    make_readable(column.name, "the column", table.unreadable);
    make_readable(column.type.name, "the type", table.unreadable);
    if (column.missing) {
      make_readable(*column.missing, fmt::format("what older rows hold in {}:", column.name),
                    table.unreadable);
    }
  }
}

struct Answers {
  std::vector<CatalogTable> tables;
  Lsn asked_at;
};

/// `wanted` is an SQL array of OIDs.
Answers ask(Connection& connection, const std::string& publication, const std::string& wanted) {
  const bool knows_lists = connection.server_version() >= kPostgres15;
  const std::string sql = fmt::format(kTables, fmt::arg("wanted", wanted),
                                      fmt::arg("publication", quote_literal(publication)),
                                      fmt::arg("schemas", knows_lists ? kSchemas : ""),
                                      fmt::arg("sent", knows_lists ? kSent : kSentWithoutLists));
  const QueryResult result = connection.query(sql, "reading the source's catalog");
  Answers answers;
  std::vector<CatalogTable>& tables = answers.tables;
  for (int row = 0; row < result.rows(); ++row) {
    answers.asked_at = std::max(answers.asked_at, result.lsn(row, 24));
    if (result.is_null(row, 0)) {
      continue;
    }
    if (tables.empty() || tables.back().schema.oid != result.oid(row, 0)) {
      tables.push_back(table_at(result, row));
    }
    // A table may have no column at all.
    if (!result.is_null(row, 4)) {
      tables.back().schema.columns.push_back(column_at(result, row));
    }
  }
  for (CatalogTable& table : tables) {
    table.asked_at = answers.asked_at;
    table.raw_text = connection.raw_text();
    make_readable(table);
  }
  read_type_parts(connection, tables);
  return answers;
}

}  // namespace

bool transactions_visible(Connection& connection, const std::vector<std::uint32_t>& xids) {
  return connection
      .query(fmt::format(kVisible, fmt::join(xids, ",")), "asking whether a transaction is visible")
      .flag(0, 0);
}

std::vector<CatalogTable> read_tables(Connection& connection, const std::string& publication,
                                      const std::vector<Oid>& oids) {
  return ask(connection, publication, oid_array(oids)).tables;
}

std::vector<CatalogTable> read_published_tables(Connection& connection,
                                                const std::string& publication,
                                                const std::vector<Oid>& known) {
  Answers answers = ask(connection, publication,
                        fmt::format("ARRAY(SELECT unnest({}) UNION ({}))", oid_array(known),
                                    published_oids(publication)));
  std::unordered_set<Oid> found;
  for (const CatalogTable& table : answers.tables) {
    found.insert(table.schema.oid);
  }
  for (const Oid oid : known) {
    if (!found.contains(oid)) {
      CatalogTable& gone = answers.tables.emplace_back();
      gone.schema.oid = oid;
      gone.asked_at = answers.asked_at;
    }
  }
  return std::move(answers.tables);
}

}  // namespace re_dms
