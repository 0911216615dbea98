#include "warehouse/redshift/grants.h"

#include <optional>
#include <string_view>
#include <utility>

#include "warehouse/redshift/target_shape.h"

namespace re_dms::redshift {

namespace {

/// Nothing for rights that a table of Redshift does not have. `what`: the table, and to whom.
std::optional<Sql> grant(char letter, const Sql& what) {
  switch (letter) {
    case 'r':
      return sql("GRANT SELECT ON {}", what);
    case 'a':
      return sql("GRANT INSERT ON {}", what);
    case 'w':
      return sql("GRANT UPDATE ON {}", what);
    case 'd':
      return sql("GRANT DELETE ON {}", what);
    case 'x':
      return sql("GRANT REFERENCES ON {}", what);
    default:
      return std::nullopt;
  }
}

/// An access control list as its text, `grantee=letters/grantor,…`.
class AclReader {
 public:
  explicit AclReader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  /// Up to the sign, which goes too; what stands in quotes is as it is without them.
  std::string up_to(char sign) {
    std::string text;
    bool quoted = false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"' && quoted && rest_.starts_with('"')) {
        text += c;
        rest_.remove_prefix(1);
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == sign && !quoted) {
        break;
      } else {
        text += c;
      }
    }
    return text;
  }

 private:
  std::string_view rest_;
};

Sql grantee(std::string_view name) {
  constexpr std::string_view kGroup = "group ";
  if (name.empty()) {
    return sql("PUBLIC");
  }
  return name.starts_with(kGroup) ? sql("GROUP {}", identifier(name.substr(kGroup.size())))
                                  : identifier(name);
}

/// Of users, groups and all: whoever may ask for the table sees them.
void read_acl(std::string_view acl, const QualifiedName& table, const std::string& self,
              std::vector<Sql>& statements) {
  for (AclReader reader(acl); !reader.at_end();) {
    const std::string name = reader.up_to('=');
    const std::string letters = reader.up_to('/');
    reader.up_to(',');
    for (std::size_t at = 0; at < letters.size() && name != self; ++at) {
      const bool with_option = at + 1 < letters.size() && letters[at + 1] == '*';
      if (auto statement =
              grant(letters[at], sql("{} TO {}{}", qualified(table), grantee(name),
                                     with_option ? sql(" WITH GRANT OPTION") : Sql()))) {
        statements.push_back(*std::move(statement));
      }
    }
  }
}

/// As an access control list has it.
char letter_of(std::string_view privilege) {
  constexpr std::pair<std::string_view, char> kNames[] = {
      {"SELECT", 'r'}, {"INSERT", 'a'}, {"UPDATE", 'w'}, {"DELETE", 'd'}, {"REFERENCES", 'x'}};
  for (const auto& [name, letter] : kNames) {
    if (name == privilege) {
      return letter;
    }
  }
  return ' ';
}

}  // namespace

std::vector<Sql> grants_of(Session& session, const QualifiedName& table) {
  const Sql schema = session.text(folded(table.schema));
  const Sql name = session.text(folded(table.name));
  std::vector<Sql> statements;
  for (const Row& row :
       session.query(sql("SELECT array_to_string(c.relacl, ','), current_user FROM pg_class c JOIN "
                         "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND "
                         "c.relname = {}",
                         schema, name),
                     Blame::Table)) {
    read_acl(row.at(0).value_or(""), table, row.at(1).value_or(""), statements);
  }
  for (const Row& row :
       session.query(sql("SELECT privilege_type, identity_name FROM svv_relation_privileges WHERE "
                         "namespace_name = {} AND relation_name = {} AND identity_type = 'role' "
                         "ORDER BY 2, 1",
                         schema, name),
                     Blame::Table)) {
    if (auto statement =
            grant(letter_of(row.at(0).value_or("")),
                  sql("{} TO ROLE {}", qualified(table), identifier(row.at(1).value_or(""))))) {
      statements.push_back(*std::move(statement));
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
               session.text(folded(table.schema)), session.text(folded(table.name))),
           Blame::Table)) {
    names.push_back(row.at(0).value_or(""));
  }
  return names;
}

}  // namespace re_dms::redshift
