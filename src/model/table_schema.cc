#include "model/table_schema.h"

namespace re_dms {

std::string to_string(const QualifiedName& name) {
  return name.schema + "." + name.name;
}

bool may_have_parts(const ColumnType& type) {
  constexpr Oid kFirstGeneratedOid = 10000;  // PostgreSQL 15, transam.h
  constexpr Oid kFirstNormalOid = 16384;
  constexpr Oid kBox = 603;  // pg_type.dat
  return type.kind == 'c' || type.element_oid >= kFirstGeneratedOid || type.element_oid == kBox ||
         (type.kind == 'b' && type.base_oid >= kFirstNormalOid);
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
