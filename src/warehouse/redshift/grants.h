// Rights on a table that a copy takes the place of.
#pragma once

#include <string>
#include <vector>

#include "model/table_schema.h"
#include "warehouse/redshift/session.h"

namespace re_dms::redshift {

/// The statements that give others the rights again that they have on the table now: users and
/// groups, and those roles that this user may see. Source: PostgreSQL 8.0, Access Privileges; the
/// Redshift database developer guide, SVV_RELATION_PRIVILEGES and GRANT.
std::vector<Sql> grants_of(Session& session, const QualifiedName& table);

/// The views that are bound to the table, so that it cannot be dropped without them. Source:
/// dbt-redshift 1.x, relations.sql, which asks the same catalog.
std::vector<std::string> views_on(Session& session, const QualifiedName& table);

}  // namespace re_dms::redshift
