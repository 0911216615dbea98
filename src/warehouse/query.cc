#include "warehouse/query.h"

#include <utility>

#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/session.h"

namespace re_dms {

TargetRows query_warehouse(const std::string& url, const std::string& select) {
  duckdb::Session session({duckdb::file_of(url), 0, {}}, duckdb::FileAccess::ReadOnly);
  return {session.query(duckdb::as_asked(select), duckdb::Blame::Table)};
}

}  // namespace re_dms
