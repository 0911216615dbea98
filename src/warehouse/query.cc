#include "warehouse/query.h"

#include <utility>

#include "warehouse/duckdb/location.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/redshift/session.h"

namespace re_dms {

TargetRows query_warehouse(const std::string& url, const std::string& select) {
  if (url.starts_with("redshift://")) {
    redshift::Session session({url}, {});
    return {session.query(as_asked(select), Blame::Table)};
  }
  duckdb::Session session({duckdb::file_of(url), 0, {}}, duckdb::FileAccess::ReadOnly);
  return {session.query(as_asked(select), Blame::Table)};
}

}  // namespace re_dms
