#include "source/connection/sql_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace re_dms {

namespace {

std::string quoted(std::string_view text, char mark) {
  std::string result(1, mark);
  for (const char c : text) {
    if (c == mark) {
      result += mark;
    }
    result += c;
  }
  result += mark;
  return result;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string quote_literal(std::string_view text) {
  return quoted(text, '\'');
}

std::string quote_name(const QualifiedName& name) {
  return quote_identifier(name.schema) + "." + quote_identifier(name.name);
}

std::string oid_array(const std::vector<Oid>& oids) {
  return fmt::format("'{{{}}}'::oid[]", fmt::join(oids, ","));
}

std::string published_oids(std::string_view publication) {
  return fmt::format(
      "WITH RECURSIVE named AS (SELECT prrelid AS relid FROM pg_publication_rel r JOIN "
      "pg_publication p ON p.oid = prpubid WHERE pubname = {} UNION SELECT inhrelid FROM named "
      "JOIN "
      "pg_class c ON c.oid = relid AND relkind = 'p' JOIN pg_inherits ON inhparent = relid) "
      "SELECT c.oid FROM named JOIN pg_class c ON c.oid = relid AND relkind = 'r'",
      quote_literal(publication));
}

}  // namespace re_dms
