#include "source/catalog/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"

namespace re_dms {

namespace {

[[noreturn]] void refuse(std::string_view pattern, std::string_view problem) {
  throw Error(
      ErrorKind::Usage, fmt::format("table pattern '{}' {}", pattern, problem),
      "Write schema.table with * and ? as wildcards; double quotes keep upper case and dots");
}

/// Bytes of the UTF-8 character that begins with `first`.
std::size_t character_bytes(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xC0U ? 1 : byte < 0xE0U ? 2 : byte < 0xF0U ? 3 : 4;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

TablePattern::TablePattern(std::string_view text) {
  Part part;
  bool quoted = false;
  bool has_schema = false;
  const auto add_exact = [&part](char c) {
    if (part.empty() || part.back().kind != Piece::Kind::Exact) {
      part.emplace_back();
    }
    part.back().text += c;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      add_exact('"');
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      add_exact(c);
    } else if (c == '*') {
      part.push_back({Piece::Kind::Any, ""});
    } else if (c == '?') {
      part.push_back({Piece::Kind::One, ""});
    } else if (c == '.') {
      if (has_schema) {
        refuse(text, "has more than one dot");
      }
      has_schema = true;
      schema_ = std::move(part);
      part.clear();
    } else {
      add_exact(lower(c));
    }
  }
  if (quoted) {
    refuse(text, "has an open double quote");
  }
  table_ = std::move(part);
  if (!has_schema) {
    schema_ = {{Piece::Kind::Any, ""}};
  }
  if (schema_.empty() || table_.empty()) {
    refuse(text, "has an empty part");
  }
}

bool TablePattern::matches(const Part& part, std::size_t from, std::string_view name) {
  for (; from < part.size(); ++from) {
    const Piece& piece = part[from];
    if (piece.kind == Piece::Kind::Any) {
      if (from + 1 == part.size()) {
        return true;
      }
      for (std::size_t skipped = 0; skipped <= name.size(); ++skipped) {
        if (matches(part, from + 1, name.substr(skipped))) {
          return true;
        }
      }
      return false;
    }
    if (piece.kind == Piece::Kind::One) {
      if (name.empty()) {
        return false;
      }
      name.remove_prefix(std::min(name.size(), character_bytes(name.front())));
    } else {
      if (!name.starts_with(piece.text)) {
        return false;
      }
      name.remove_prefix(piece.text.size());
    }
  }
  return name.empty();
}

bool TablePattern::matches(const QualifiedName& table) const {
  return matches(schema_, 0, table.schema) && matches(table_, 0, table.name);
}

TableSelection::TableSelection(const std::vector<std::string>& include,
                               const std::vector<std::string>& exclude)
    : include_(include.begin(), include.end()), exclude_(exclude.begin(), exclude.end()) {}

bool TableSelection::matches(const QualifiedName& table) const {
  return !excludes(table) && std::ranges::any_of(include_, [&](const TablePattern& pattern) {
    return pattern.matches(table);
  });
}

bool TableSelection::excludes(const QualifiedName& table) const {
  return std::ranges::any_of(exclude_,
                             [&](const TablePattern& pattern) { return pattern.matches(table); });
}

TableRules::TableRules(const std::vector<TableSettings>& sections) {
  rules_.reserve(sections.size());
  for (const TableSettings& section : sections) {
    rules_.push_back({TablePattern(section.match), section});
  }
}

const TableRules::Rule* TableRules::first(const QualifiedName& table) const {
  const auto rule =
      std::ranges::find_if(rules_, [&](const Rule& each) { return each.match.matches(table); });
  return rule == rules_.end() ? nullptr : &*rule;
}

InitialCopy TableRules::initial_copy(const QualifiedName& table) const {
  const Rule* const rule = first(table);
  return rule == nullptr ? InitialCopy::Auto : rule->wanted.initial_copy;
}

bool TableRules::keeps_columns(const QualifiedName& table) const {
  const Rule* const rule = first(table);
  return rule != nullptr && rule->wanted.keeps_columns;
}

BadValues TableRules::bad_values(const QualifiedName& table, const std::string& column) const {
  const Rule* const rule = first(table);
  if (rule == nullptr) {
    return BadValues::Usual;
  }
  const auto own = rule->wanted.column_bad_values.find(column);
  return own == rule->wanted.column_bad_values.end() ? rule->wanted.bad_values : own->second;
}

TableLayout TableRules::layout(const QualifiedName& table) const {
  const Rule* const rule = first(table);
  return rule == nullptr ? TableLayout{} : rule->wanted.layout;
}

std::string TableRules::target_type(const QualifiedName& table, const std::string& column) const {
  const Rule* const rule = first(table);
  if (rule == nullptr) {
    return {};
  }
  const auto own = rule->wanted.types.find(column);
  return own == rule->wanted.types.end() ? std::string() : own->second;
}

namespace {

/// The columns that a section names, each with the key that does.
std::vector<std::pair<std::string_view, std::string>> named_columns(const TableSettings& section) {
  std::vector<std::pair<std::string_view, std::string>> named;
  for (const auto& [column, policy] : section.column_bad_values) {
    named.emplace_back("column_bad_values", column);
  }
  if (!section.layout.distkey.empty()) {
    named.emplace_back("distkey", section.layout.distkey);
  }
  for (const std::string& column : section.layout.sortkey) {
    named.emplace_back("sortkey", column);
  }
  for (const auto& [column, type] : section.types) {
    named.emplace_back("types", column);
  }
  return named;
}

}  // namespace

std::vector<std::string> TableRules::unknown_columns(const std::vector<TableSchema>& tables) const {
  std::vector<std::set<std::string>> known(rules_.size());
  for (const TableSchema& table : tables) {
    if (const Rule* const rule = first(table.name)) {
      for (const Column& column : table.columns) {
        known[static_cast<std::size_t>(rule - rules_.data())].insert(column.name);
      }
    }
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    for (const auto& [key, column] : named_columns(rules_[i].wanted)) {
      if (!known[i].empty() && !known[i].contains(column)) {
        texts.push_back(fmt::format("table[{}].{} names \"{}\"", i + 1, key, column));
      }
    }
  }
  return texts;
}

}  // namespace re_dms
