#include "warehouse/redshift/staged_columns.h"

#include <algorithm>
#include <charconv>

#include "warehouse/redshift/types.h"

namespace re_dms::redshift {

namespace {

/// Redshift database developer guide, "CREATE TABLE": a table has at most 1,600 columns, and
/// "mask" has a character for each.
constexpr int kMaskBytes = 1600;

struct StagedColumn {
  Sql name;
  Sql type;
};

std::vector<StagedColumn> staged_columns(const StagedLayer& layer) {
  const std::vector<Column>& columns = layer.table->columns;
  std::vector<StagedColumn> staged;
  if (layer.shape != LayerShape::Inserts) {
    staged.push_back({sql("op"), sql("varchar(1)")});
  }
  if (layer.shape == LayerShape::Changes) {
    staged.push_back({sql("mask"), sql("varchar({})", kMaskBytes)});
    std::size_t part = 0;
    for (const std::size_t key : key_columns(*layer.table)) {
      staged.push_back({key_name(part++), target_type(columns[key].type)});
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    staged.push_back({column_name(i), target_type(columns[i].type)});
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

std::vector<Sql> staged_names(const StagedLayer& layer) {
  std::vector<Sql> names;
  for (const StagedColumn& column : staged_columns(layer)) {
    names.push_back(column.name);
  }
  return names;
}

Sql create_staged(const StagedLayer& layer, const Sql& name,
                  std::optional<std::size_t> distribution) {
  std::vector<Sql> definitions;
  for (const StagedColumn& column : staged_columns(layer)) {
    definitions.push_back(sql("{} {}", column.name, column.type));
  }
  const auto keys = key_columns(*layer.table);
  const auto part = distribution ? std::ranges::find(keys, *distribution) : keys.end();
  // A row that deletes has a key and no other value.
  const bool by_key = layer.shape == LayerShape::Changes && part != keys.end();
  return sql("CREATE TEMP TABLE {} ({}) {}", name, joined(definitions),
             by_key ? sql("DISTKEY ({})", key_name(static_cast<std::size_t>(part - keys.begin())))
                    : sql("DISTSTYLE EVEN"));
}

std::string source_column(const StagedLayer& layer, const std::string& name) {
  const std::vector<Column>& columns = layer.table->columns;
  const auto keys = key_columns(*layer.table);
  std::size_t number = 0;
  if (layer.shape != LayerShape::Inserts && name.size() > 1) {
    std::from_chars(name.data() + 1, name.data() + name.size(), number);
  }
  if (number > 0 && name[0] == 'c' && number <= columns.size()) {
    return columns[number - 1].name;
  }
  if (number > 0 && name[0] == 'k' && number <= keys.size()) {
    return columns[keys[number - 1]].name;
  }
  return name;
}

}  // namespace re_dms::redshift
