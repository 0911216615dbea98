// SQL text. A Sql is made of text that stands in the program, quoted names, quoted values and other
// Sql, and of nothing else: no string that came from outside can become part of a statement as it
// is.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/lsn.h"
#include "model/table_schema.h"

namespace re_dms {

class Sql;

template <typename T>
concept SqlPart = std::same_as<T, Sql> ||(std::integral<T> && !std::same_as<T, char>);

class Sql {
 public:
  Sql() = default;

  const std::string& text() const { return text_; }

  bool empty() const { return text_.empty(); }

  bool operator==(const Sql&) const = default;

 private:
  explicit Sql(std::string text) : text_(std::move(text)) {}

  template <SqlPart... Parts>
  friend Sql sql(fmt::format_string<const Parts&...> text, const Parts&... parts);
  friend Sql identifier(std::string_view name);
  friend Sql literal(std::string_view value);
  friend Sql escaped_literal(std::string_view value);
  friend Sql as_asked(std::string_view statement);
  friend Sql joined(const std::vector<Sql>& parts, std::string_view separator);

  std::string text_;
};

/// `text` is a literal of the program (checked by the compiler); each {} is one of `parts`.
template <SqlPart... Parts>
Sql sql(fmt::format_string<const Parts&...> text, const Parts&... parts) {
  return Sql(fmt::format(text, parts...));
}

/// A name, quoted. DuckDB and Redshift compare names without regard to case, quoted or not.
Sql identifier(std::string_view name);

/// A value, quoted: a text of SQL, whatever it holds, where backslashes are characters like others.
Sql literal(std::string_view value);

/// The same for engines that read backslashes as escapes.
Sql escaped_literal(std::string_view value);

/// A whole statement as a person wrote it; never a part of one of ours.
Sql as_asked(std::string_view statement);

/// An LSN as the BIGINT the service tables keep.
Sql literal(Lsn lsn);

/// A TIMESTAMP WITH TIME ZONE.
Sql literal(SystemTime time);

/// catalog.schema.name: never ambiguous, whatever the file is called.
Sql qualified(std::string_view catalog, const QualifiedName& name);

/// schema.name
Sql qualified(const QualifiedName& name);

/// The parts with `separator`, a text of the program, between them.
Sql joined(const std::vector<Sql>& parts, std::string_view separator = ", ");

}  // namespace re_dms

template <>
struct fmt::formatter<re_dms::Sql> : fmt::formatter<std::string_view> {
  auto format(const re_dms::Sql& part, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(part.text(), context);
  }
};
