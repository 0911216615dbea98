#include "source/catalog/candidates.h"

#include <fmt/format.h>

#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

constexpr const char* kCandidates = R"(
SELECT c.oid, n.nspname, c.relname, c.relpersistence, c.relreplident,
       EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
       EXISTS (SELECT 1 FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                  AND i.indpred IS NULL
                  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                          WHEN 'i' THEN i.indisreplident END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY n.nspname, c.relname)";

std::string problem_of(const QueryResult& result, int row, const std::string& table) {
  if (result.text(row, 3) == "u") {
    return fmt::format(
        "it is unlogged, so its changes are not in the WAL. To replicate it: ALTER TABLE {} SET "
        "LOGGED",
        table);
  }
  const std::string_view identity = result.text(row, 4);
  if (identity == "f" || result.flag(row, 6)) {
    return "";
  }
  if (identity == "n") {
    return fmt::format(
        "REPLICA IDENTITY NOTHING says no row which it was. To replicate it: ALTER TABLE {} "
        "REPLICA "
        "IDENTITY DEFAULT (with a primary key)",
        table);
  }
  if (identity == "i") {
    return fmt::format(
        "the index that was its replica identity is gone or not valid. To replicate it: ALTER "
        "TABLE "
        "{} REPLICA IDENTITY DEFAULT (with a primary key), or USING INDEX another one",
        table);
  }
  if (result.flag(row, 5)) {
    return fmt::format(
        "its primary key is deferrable, which is no replica identity. To replicate it: ALTER TABLE "
        "{} REPLICA IDENTITY USING INDEX, with a unique index that is not deferrable",
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
  const QueryResult result = connection.query(kCandidates, "listing the source's tables");
  std::vector<CandidateTable> candidates;
  for (int row = 0; row < result.rows(); ++row) {
    CandidateTable candidate;
    candidate.oid = result.oid(row, 0);
    candidate.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
    if (selection.matches(candidate.name)) {
      candidate.problem = problem_of(result, row, quote_name(candidate.name));
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

}  // namespace re_dms
