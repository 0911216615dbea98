#include "model/table_schema.h"

namespace re_dms {

std::string to_string(const QualifiedName& name) {
  return name.schema + "." + name.name;
}

std::vector<std::size_t> key_columns(const TableSchema& table) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].key) {
      found.push_back(i);
    }
  }
  return found;
}

void set_target_types(TableSchema& table, const WantedTypes& wanted) {
  for (Column& column : table.columns) {
    column.type.target = wanted(table.name, column.name);
    if (column.type.target != kSuper) {
      column.type.parts.reset();
    }
  }
}

bool is_multiset(const TableSchema& table) {
  return table.identity == ReplicaIdentity::Full && key_columns(table).empty();
}

}  // namespace re_dms
