#include "warehouse/redshift/grants.h"

#include <optional>
#include <string_view>

#include "warehouse/redshift/target_shape.h"

namespace re_dms::redshift {

namespace {

/// Nothing for rights that GRANT does not know on a table.
std::optional<Sql> privilege(std::string_view name) {
  if (name == "SELECT") {
    return sql("SELECT");
  }
  if (name == "INSERT") {
    return sql("INSERT");
  }
  if (name == "UPDATE") {
    return sql("UPDATE");
  }
  if (name == "DELETE") {
    return sql("DELETE");
  }
  if (name == "REFERENCES") {
    return sql("REFERENCES");
  }
  if (name == "DROP") {
    return sql("DROP");
  }
  if (name == "TRUNCATE") {
    return sql("TRUNCATE");
  }
  if (name == "ALTER") {
    return sql("ALTER");
  }
  return std::nullopt;
}

std::optional<Sql> grantee(std::string_view type, std::string_view name) {
  if (type == "user") {
    return identifier(name);
  }
  if (type == "group") {
    return sql("GROUP {}", identifier(name));
  }
  if (type == "role") {
    return sql("ROLE {}", identifier(name));
  }
  if (type == "public") {
    return sql("PUBLIC");
  }
  return std::nullopt;
}

}  // namespace

std::vector<Sql> grants_of(Session& session, const QualifiedName& table) {
  std::vector<Sql> statements;
  for (const Row& row : session.query(
           sql("SELECT privilege_type, identity_type, identity_name, CASE WHEN admin_option THEN 1 "
               "ELSE 0 END FROM svv_relation_privileges WHERE namespace_name = {} AND "
               "relation_name = {} AND identity_name <> current_user ORDER BY 3, 1",
               session.text(folded(table.schema)), session.text(folded(table.name))))) {
    const auto right = privilege(row.at(0).value_or(""));
    const auto to = grantee(row.at(1).value_or(""), row.at(2).value_or(""));
    if (right && to) {
      statements.push_back(sql("GRANT {} ON {} TO {}{}", *right, qualified(table), *to,
                               row.at(3) == "1" ? sql(" WITH GRANT OPTION") : sql("")));
    }
  }
  return statements;
}

std::vector<std::string> views_on(Session& session, const QualifiedName& table) {
  std::vector<std::string> names;
  for (const Row& row : session.query(
           sql("SELECT DISTINCT vn.nspname || '.' || v.relname FROM pg_class c JOIN pg_namespace n "
               "ON n.oid = c.relnamespace JOIN pg_depend d ON d.refobjid = c.oid JOIN pg_rewrite r "
               "ON r.oid = d.objid AND r.ev_class <> c.oid JOIN pg_class v ON v.oid = r.ev_class "
               "JOIN pg_namespace vn ON vn.oid = v.relnamespace WHERE n.nspname = {} AND "
               "c.relname = {} ORDER BY 1",
               session.text(folded(table.schema)), session.text(folded(table.name))))) {
    names.push_back(row.at(0).value_or(""));
  }
  return names;
}

}  // namespace re_dms::redshift
