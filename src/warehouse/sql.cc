#include "warehouse/sql.h"

#include "base/error.h"

namespace re_dms {

namespace {

std::string quoted(std::string_view text, char quote) {
  // A NUL would end the statement at that place; neither names nor values of PostgreSQL hold one.
  RE_DMS_CHECK(text.find('\0') == std::string_view::npos);
  std::string result(1, quote);
  for (const char c : text) {
    result.append(c == quote ? 2 : 1, c);
  }
  result.push_back(quote);
  return result;
}

}  // namespace

Sql identifier(std::string_view name) {
  return Sql(quoted(name, '"'));
}

Sql literal(std::string_view value) {
  return Sql(quoted(value, '\''));
}

Sql escaped_literal(std::string_view value) {
  std::string doubled;
  for (const char c : value) {
    doubled.append(c == '\\' ? 2 : 1, c);
  }
  return Sql(quoted(doubled, '\''));
}

Sql as_asked(std::string_view statement) {
  return Sql(std::string(statement));
}

Sql literal(Lsn lsn) {
  // Stored signed; WAL positions stay below 2^63 for longer than any cluster lives.
  RE_DMS_CHECK(lsn.value <= static_cast<std::uint64_t>(INT64_MAX));
  return sql("{}", lsn.value);
}

Sql literal(SystemTime time) {
  return sql("CAST({} AS TIMESTAMP WITH TIME ZONE)", literal(to_text(time)));
}

Sql qualified(std::string_view catalog, const QualifiedName& name) {
  return sql("{}.{}.{}", identifier(catalog), identifier(name.schema), identifier(name.name));
}

Sql qualified(const QualifiedName& name) {
  return sql("{}.{}", identifier(name.schema), identifier(name.name));
}

Sql joined(const std::vector<Sql>& parts, std::string_view separator) {
  std::string text;
  for (const Sql& part : parts) {
    text.append(text.empty() ? std::string_view() : separator).append(part.text());
  }
  return Sql(std::move(text));
}

}  // namespace re_dms
