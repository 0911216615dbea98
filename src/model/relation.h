// A table's shape as a Relation message states it.
#pragma once

#include <string>
#include <vector>

#include "model/table_schema.h"

namespace re_dms {

struct RelationColumn {
  std::string name;
  Oid type_oid = 0;
  std::int32_t typmod = -1;
  bool key = false;

  bool operator==(const RelationColumn&) const = default;
};

/// PostgreSQL 15, protocol-logicalrep-message-formats, Relation. Knows no attribute numbers, no
/// nullability and no defaults: those come from the catalog.
struct Relation {
  Oid oid = 0;
  QualifiedName name;
  ReplicaIdentity identity = ReplicaIdentity::Default;
  std::vector<RelationColumn> columns;

  bool operator==(const Relation&) const = default;
};

}  // namespace re_dms
