// Table patterns as psql's \d takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/bad_values.h"
#include "model/initial_copy.h"
#include "model/table_layout.h"
#include "model/table_schema.h"
#include "source/settings.h"

namespace re_dms {

/// `*` stands for any characters, `?` for one, `schema.table` for both parts; unquoted letters A-Z
/// match lower case. Inside double quotes everything stands for itself, case and dots included; two
/// double quotes are one. A pattern without a dot is a table of any schema. Unlike psql's, other
/// characters of regular expressions stand for themselves.
class TablePattern {
 public:
  /// Throws Usage on an empty part, an open quote, or more than one dot.
  explicit TablePattern(std::string_view text);

  bool matches(const QualifiedName& table) const;

 private:
  /// A piece of a part: a run of characters as they are, or one of the wildcards.
  struct Piece {
    enum class Kind { Exact, Any, One };

    Kind kind = Kind::Exact;
    std::string text;
  };

  using Part = std::vector<Piece>;

  static bool matches(const Part& part, std::size_t from, std::string_view name);

  Part schema_;  ///< any when the pattern has no dot
  Part table_;
};

/// The tables a configuration asks for: those that some include pattern matches and no exclude one.
class TableSelection {
 public:
  TableSelection(const std::vector<std::string>& include, const std::vector<std::string>& exclude);

  bool matches(const QualifiedName& table) const;

  /// An exclude pattern matches.
  bool excludes(const QualifiedName& table) const;

 private:
  std::vector<TablePattern> include_;
  std::vector<TablePattern> exclude_;
};

/// What the [[table]] sections of a configuration say of each table.
class TableRules {
 public:
  explicit TableRules(const std::vector<TableSettings>& sections);

  /// Of the first section that matches the table; Auto where none does.
  InitialCopy initial_copy(const QualifiedName& table) const;

  /// Of the first section that matches the table; false where none does.
  bool keeps_columns(const QualifiedName& table) const;

  /// Of the first section that matches the table; Usual where none does.
  BadValues bad_values(const QualifiedName& table, const std::string& column) const;

  /// Of the first section that matches the table; what is usual where none does.
  TableLayout layout(const QualifiedName& table) const;

  /// The same, as WantedTypes.
  std::string target_type(const QualifiedName& table, const std::string& column) const;

  /// Columns that sections name and none of these tables has which the section is the first for, in
  /// words: `table[2].types names "paylod", …`. Nothing of sections that are first for none.
  std::vector<std::string> unknown_columns(const std::vector<TableSchema>& tables) const;

 private:
  struct Rule {
    TablePattern match;
    TableSettings wanted;
  };

  const Rule* first(const QualifiedName& table) const;

  std::vector<Rule> rules_;
};

}  // namespace re_dms
