#include "source/catalog/candidates.h"

#include <fmt/format.h>

#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

/// Columns of a row of kCandidates.
enum Answer {
  Id,
  Schema,
  Name,
  Persistence,
  Identity,
  HasKey,
  HasIndex,
  Unsent,
  Generated,
  Unreadable
};

/// UTF-8 in hexadecimal digits.
constexpr std::string_view kUtf8 =
    "^([0-7].|(c[2-9a-f]|d.)[89ab].|(e0[ab]|e[1-9a-cef][89ab]|ed[89]).[89ab].|"
    "(f0[9ab]|f[1-3][89ab]|f48).([89ab].){2})*$";

/// Makes a name in a database without encoding (SQL_ASCII) readable; in others every name is.
constexpr std::string_view kReadable = R"(
CASE WHEN getdatabaseencoding() = 'SQL_ASCII' AND encode(convert_to({0}, 'SQL_ASCII'), 'hex') !~ '{1}'
     THEN encode(convert_to({0}, 'SQL_ASCII'), 'escape') ELSE {0}::text END)";

// What CREATE PUBLICATION and the stream make of each table. The identity's index is the one that
// PostgreSQL 15 takes (RelationGetIndexList); only its key columns count, not those it INCLUDEs.
constexpr std::string_view kCandidates = R"(
SELECT c.oid, {schema}, {table}, c.relpersistence, c.relreplident,
       EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
       identity.indrelid IS NOT NULL,
       (SELECT string_agg({column}, ', ' ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attgenerated <> ''
           AND a.attnum = ANY ((identity.indkey::int2[])[0:identity.indnkeyatts - 1])),
       EXISTS (SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.attgenerated <> ''),
       CASE WHEN getdatabaseencoding() = 'SQL_ASCII' THEN
         (SELECT string_agg(shown, ', ')
            FROM (SELECT n.nspname AS name, {schema} AS shown
                  UNION ALL SELECT c.relname, {table}
                  UNION ALL SELECT a.attname, {column} FROM pg_attribute a
                             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) names
           WHERE encode(convert_to(name, 'SQL_ASCII'), 'hex') !~ '{utf8}') END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index identity
    ON identity.indrelid = c.oid AND identity.indisunique AND identity.indisvalid
   AND identity.indimmediate AND identity.indpred IS NULL
   AND CASE c.relreplident WHEN 'd' THEN identity.indisprimary
                           WHEN 'i' THEN identity.indisreplident END
 WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname)";

constexpr int kPostgres18 = 180000;

/// Why the replica identity that is there does not do; empty: it does.
std::string identity_problem(const QueryResult& result, int row, const std::string& table,
                             int server_version) {
  if (!result.is_null(row, Unsent)) {
    return fmt::format(
        "its replica identity has the generated column {1}, which PostgreSQL does not send, so "
        "rows that differ only in it look the same. To replicate it: ALTER TABLE {0} REPLICA "
        "IDENTITY USING INDEX, with a unique index over other columns, all NOT NULL{2}",
        table, result.text(row, Unsent),
        server_version >= kPostgres18 ? ""
                                      : "; or ALTER TABLE " + table + " REPLICA IDENTITY FULL");
  }
  // PostgreSQL 18, CheckCmdReplicaIdentity.
  if (server_version >= kPostgres18 && result.text(row, Identity) == "f" &&
      result.flag(row, Generated)) {
    return fmt::format(
        "REPLICA IDENTITY FULL covers its generated columns, which are not published; published "
        "like this, the application's own UPDATE would fail. To replicate it: ALTER TABLE {} "
        "REPLICA IDENTITY DEFAULT (with a primary key over other columns)",
        table);
  }
  return "";
}

std::string problem_of(const QueryResult& result, int row, const std::string& table,
                       int server_version) {
  if (!result.is_null(row, Unreadable)) {
    return fmt::format(
        "its database has the encoding SQL_ASCII, and these of its names are not UTF-8: {}. To "
        "replicate it: give them other names, or move the database to the encoding UTF8",
        result.text(row, Unreadable));
  }
  if (result.text(row, Persistence) == "u") {
    return fmt::format(
        "it is unlogged, so its changes are not in the WAL. To replicate it: ALTER TABLE {} SET "
        "LOGGED",
        table);
  }
  const std::string_view identity = result.text(row, Identity);
  if (identity == "f" || result.flag(row, HasIndex)) {
    return identity_problem(result, row, table, server_version);
  }
  if (identity == "n") {
    return fmt::format(
        "REPLICA IDENTITY NOTHING does not say which row was changed. To replicate it: ALTER TABLE "
        "{} REPLICA IDENTITY DEFAULT (with a primary key)",
        table);
  }
  if (identity == "i") {
    return fmt::format(
        "the index that was its replica identity is gone or not valid. To replicate it: ALTER "
        "TABLE {} REPLICA IDENTITY DEFAULT (with a primary key), or USING INDEX another one",
        table);
  }
  if (result.flag(row, HasKey)) {
    return fmt::format(
        "its primary key is deferrable, so it cannot be the replica identity. To replicate it: "
        "ALTER TABLE {} REPLICA IDENTITY USING INDEX, with a unique index that is not deferrable",
        table);
  }
  return fmt::format(
      "it has no primary key, so updates and deletes cannot be told apart; published like this, "
      "the application's own UPDATE would fail. To replicate it: ALTER TABLE {0} ADD PRIMARY KEY "
      "(…), or ALTER TABLE {0} REPLICA IDENTITY FULL, which costs more in WAL and in loading",
      table);
}

}  // namespace

std::vector<CandidateTable> list_candidates(Connection& connection,
                                            const TableSelection& selection) {
  const auto readable = [](std::string_view name) { return fmt::format(kReadable, name, kUtf8); };
  const std::string sql =
      fmt::format(kCandidates, fmt::arg("schema", readable("n.nspname")),
                  fmt::arg("table", readable("c.relname")),
                  fmt::arg("column", readable("a.attname")), fmt::arg("utf8", kUtf8));
  const QueryResult result = connection.query(sql, "listing the source's tables");
  std::vector<CandidateTable> candidates;
  for (int row = 0; row < result.rows(); ++row) {
    CandidateTable candidate;
    candidate.oid = result.oid(row, Id);
    candidate.name = {std::string(result.text(row, Schema)), std::string(result.text(row, Name))};
    if (selection.matches(candidate.name)) {
      candidate.problem =
          problem_of(result, row, quote_name(candidate.name), connection.server_version());
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

}  // namespace re_dms
