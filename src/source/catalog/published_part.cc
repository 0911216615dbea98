#include "source/catalog/published_part.h"

#include <fmt/format.h>

#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

// - Not pg_publication_tables, which looks beyond the transaction's snapshot.
// - Which columns a filter has is asked of its tree: pg_depend has those of the list beside them.
// - Under REPLICA IDENTITY FULL every filter can be evaluated, and no list will do.
constexpr std::string_view kParts = R"(
WITH part AS (
  SELECT r.prrelid AS relid, r.prattrs::int2[] AS listed, pg_get_expr(r.prqual, r.prrelid) AS filter,
         ARRAY(SELECT m[1]::int2 FROM regexp_matches(r.prqual::text, ':varattno (\d+)', 'g') m) AS used
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
   WHERE p.pubname = {} AND (r.prattrs IS NOT NULL OR r.prqual IS NOT NULL)
), identity AS (
  SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
   WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END
)
SELECT n.nspname, c.relname,
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
         FILTER (WHERE a.attnum = ANY (part.listed)),
       part.filter, c.relreplident = 'f',
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
         FILTER (WHERE a.attnum = ANY (identity.key) AND a.attnum <> ALL (part.listed)),
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
         FILTER (WHERE a.attnum = ANY (part.used) AND c.relreplident <> 'f'
                   AND a.attnum <> ALL (coalesce(identity.key, ARRAY[]::int2[])))
  FROM part JOIN pg_class c ON c.oid = part.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN identity ON identity.indrelid = c.oid
 GROUP BY c.oid, n.nspname, part.filter
 ORDER BY n.nspname, c.relname)";

constexpr std::string_view kFilter = R"(
SELECT pg_get_expr(r.prqual, r.prrelid)
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
  JOIN pg_class c ON c.oid = r.prrelid
 WHERE p.pubname = {} AND r.prrelid = {} AND r.prqual IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM pg_publication_namespace s
                    WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace))";

}  // namespace

std::vector<PublishedPart> published_parts(Connection& connection, const std::string& publication) {
  std::vector<PublishedPart> parts;
  if (connection.server_version() < kPostgres15) {
    return parts;
  }
  const QueryResult result = connection.query(fmt::format(kParts, quote_literal(publication)),
                                              "reading the publication's lists and filters");
  for (int row = 0; row < result.rows(); ++row) {
    PublishedPart& part = parts.emplace_back();
    part.table = {std::string(result.text(row, 0)), std::string(result.text(row, 1))};
    part.columns = result.text(row, 2);
    part.filter = result.text(row, 3);
    part.full = result.flag(row, 4);
    part.unlisted_identity = result.text(row, 5);
    part.unidentified = result.text(row, 6);
  }
  return parts;
}

std::string part_problem(const PublishedPart& part, const std::string& publication) {
  std::string problem;
  if (!part.columns.empty() && part.full) {
    problem =
        "a column list does not go with REPLICA IDENTITY FULL: ALTER TABLE … REPLICA IDENTITY "
        "DEFAULT, or USING INDEX";
  } else if (!part.unlisted_identity.empty()) {
    problem = fmt::format(
        "the column list lacks {} of the replica identity, without which re_dms sets the table "
        "aside: take the table out of the publication {} and put it back with a list that has it",
        part.unlisted_identity, quote_identifier(publication));
  } else if (!part.unidentified.empty()) {
    problem = fmt::format(
        "the row filter needs {}, which is not in the replica identity: ALTER TABLE … REPLICA "
        "IDENTITY {}",
        part.unidentified,
        part.columns.empty() ? "FULL, or USING INDEX with an index that has it"
                             : "USING INDEX with an index that has it");
  }
  return problem.empty() ? "" : "PostgreSQL refuses UPDATE and DELETE of its rows: " + problem;
}

std::string row_filter(Connection& connection, const std::string& publication, Oid table) {
  if (connection.server_version() < kPostgres15) {
    return "";
  }
  const QueryResult result = connection.query(
      fmt::format(kFilter, quote_literal(publication), table), "reading a table's row filter");
  return result.rows() == 0 ? "" : std::string(result.text(0, 0));
}

}  // namespace re_dms
