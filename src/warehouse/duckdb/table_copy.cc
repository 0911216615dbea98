#include "warehouse/duckdb/table_copy.h"

#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/duckdb/target_shape.h"

namespace re_dms::duckdb {

QualifiedName copy_name(const QualifiedName& target, Oid oid) {
  return {target.schema, fmt::format("re_dms_copy_{}", oid)};
}

void drop_copy(Session& session, const QualifiedName& copy) {
  session.execute(sql("DROP TABLE IF EXISTS {}", qualified(session.catalog(), copy)), Blame::Table);
}

void drop_table(Session& session, const StoredTable& table) {
  session.execute(sql("DROP TABLE IF EXISTS {}", qualified(session.catalog(), table.target)),
                  Blame::Table);
}

void put_copy_in_place(Session& session, const QualifiedName& target, Oid oid) {
  require_free_name(session, target);
  session.execute(
      sql("ALTER TABLE {} RENAME TO {}", qualified(session.catalog(), copy_name(target, oid)),
          identifier(target.name)),
      Blame::Table);
}

}  // namespace re_dms::duckdb
