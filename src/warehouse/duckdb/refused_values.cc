#include "warehouse/duckdb/refused_values.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "warehouse/duckdb/staged_rows.h"
#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

std::string described(const Column& column, const std::string& count) {
  return fmt::format("column \"{}\" ({}) has {} value{} that DuckDB's {} cannot hold", column.name,
                     column.type.name, count, count == "1" ? "" : "s",
                     target_type(column.type).text());
}

}  // namespace

std::optional<std::string> refused_values(Session& session, const StagedLayer& layer,
                                          const StagedFile& file) {
  const std::vector<Column>& columns = layer.table->columns;
  std::vector<Sql> counts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Sql text = column_name(i);
    counts.push_back(conversion_can_fail(columns[i].type)
                         ? sql("count(*) FILTER ({} IS NOT NULL AND TRY({}) IS NULL) AS n{}", text,
                               from_text(columns[i].type, text), i)
                         : sql("0 AS n{}", i));
  }
  std::vector<Row> rows;
  try {
    rows = session.query(sql("SELECT {} FROM {}", joined(counts), read_file(layer, file)));
  } catch (const Error&) {
    // The file itself is at fault; the first error tells more than this one.
    return std::nullopt;
  }
  std::string found;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string count = rows.at(0).at(i).value_or("0");
    if (count != "0") {
      found += found.empty() ? "" : "; ";
      found += described(columns[i], count);
    }
  }
  return found.empty() ? std::nullopt : std::optional(found);
}

}  // namespace re_dms::duckdb
