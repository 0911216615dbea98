#include "warehouse/duckdb/staged_rows.h"

#include <algorithm>

#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

// DuckDB's default of 32 MiB does not fit into a small memory limit.
constexpr std::uint64_t kBufferBytes = 4ULL << 20U;

/// A column of a staged file: its name there and the type of its text, none for op and mask.
struct StagedColumn {
  Sql name;
  const ColumnType* type = nullptr;
};

std::vector<StagedColumn> staged_columns(const StagedLayer& layer) {
  const std::vector<Column>& columns = layer.table->columns;
  std::vector<StagedColumn> staged;
  if (layer.shape != LayerShape::Inserts) {
    staged.push_back({sql("op")});
  }
  if (layer.shape == LayerShape::Changes) {
    staged.push_back({sql("mask")});
    std::size_t index = 0;
    for (const std::size_t key : key_columns(*layer.table)) {
      staged.push_back({key_name(index++), &columns[key].type});
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    staged.push_back({column_name(i), &columns[i].type});
  }
  return staged;
}

}  // namespace

Sql column_name(std::size_t index) {
  return sql("c{}", index + 1);
}

Sql key_name(std::size_t index) {
  return sql("k{}", index + 1);
}

Sql read_file(const StagedLayer& layer, const StagedFile& file) {
  std::vector<Sql> columns;
  for (const StagedColumn& column : staged_columns(layer)) {
    columns.push_back(sql("'{}': 'VARCHAR'", column.name));
  }
  // The length of a line is counted by DuckDB with its newline; a little more does no harm.
  const std::uint64_t line_bytes_max = file.row_bytes_max + 16;
  // new_line is not left to DuckDB even with auto_detect off: it takes a \r inside a quoted value
  // for one. One scanner per file, so that no guess is needed where a quoted value begins.
  return sql(
      "read_csv({}, columns = {{{}}}, delim = ',', quote = '\"', escape = '\"', nullstr = '\\N', "
      "allow_quoted_nulls = false, auto_detect = false, header = false, new_line = '\\n', "
      "compression = 'gzip', parallel = false, max_line_size = {}, buffer_size = {})",
      literal(file.path), joined(columns), line_bytes_max,
      std::max(kBufferBytes, line_bytes_max + 1));
}

std::vector<Sql> converted_columns(const StagedLayer& layer) {
  std::vector<Sql> values;
  for (const StagedColumn& column : staged_columns(layer)) {
    values.push_back(column.type == nullptr ? column.name : from_text(*column.type, column.name));
  }
  return values;
}

Sql read_converted(const StagedLayer& layer, const StagedFile& file) {
  std::vector<Sql> values;
  for (const StagedColumn& column : staged_columns(layer)) {
    values.push_back(
        sql("{} AS {}", column.type == nullptr ? column.name : from_text(*column.type, column.name),
            column.name));
  }
  return sql("(SELECT {} FROM {})", joined(values), read_file(layer, file));
}

std::vector<Sql> column_definitions(const StagedLayer& layer) {
  std::vector<Sql> definitions;
  for (const StagedColumn& column : staged_columns(layer)) {
    definitions.push_back(sql("{} {}", column.name,
                              column.type == nullptr ? sql("VARCHAR") : target_type(*column.type)));
  }
  return definitions;
}

}  // namespace re_dms::duckdb
