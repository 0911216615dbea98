#include "warehouse/redshift/target_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "warehouse/redshift/types.h"

namespace re_dms::redshift {

namespace {

Sql texts(const Session& session, const std::vector<std::string>& values) {
  std::vector<Sql> list;
  for (const std::string& value : values) {
    list.push_back(session.text(value));
  }
  return joined(list);
}

/// The table's only key column, which rows are usually spread and sorted by.
std::optional<std::size_t> usual_key(const TableSchema& table) {
  const auto keys = key_columns(table);
  const bool one =
      !is_multiset(table) && keys.size() == 1 && may_be_key(table.columns[keys[0]].type);
  return one ? std::optional(keys[0]) : std::nullopt;
}

Sql distribution(const TableSchema& table, const TableLayout& layout) {
  if (const auto column = distribution_column(table, layout)) {
    return sql("DISTSTYLE KEY DISTKEY ({})", identifier(table.columns[*column].name));
  }
  if (layout.diststyle == "all") {
    return sql("DISTSTYLE ALL");
  }
  return layout.diststyle == "even" ? sql("DISTSTYLE EVEN") : sql("DISTSTYLE AUTO");
}

Sql sorting(const TableSchema& table, const TableLayout& layout) {
  std::vector<Sql> columns;
  for (const std::string& name : layout.sortkey) {
    columns.push_back(identifier(name));
  }
  if (const auto key = usual_key(table); key && columns.empty()) {
    columns.push_back(identifier(table.columns[*key].name));
  }
  return columns.empty() ? sql("SORTKEY AUTO") : sql("SORTKEY ({})", joined(columns));
}

/// Why rows cannot be spread or sorted by the column.
std::optional<std::string> key_refusal(const TableSchema& table, std::string_view setting,
                                       const std::string& name) {
  const auto column = std::ranges::find(table.columns, name, &Column::name);
  if (column == table.columns.end()) {
    return fmt::format("{} of [[table]] names the column \"{}\", which it does not have", setting,
                       name);
  }
  return may_be_key(column->type)
             ? std::nullopt
             : std::optional(fmt::format("{} of [[table]] names the column \"{}\", and Redshift "
                                         "takes no {} for it",
                                         setting, name, target_type(column->type).text()));
}

std::optional<std::string> layout_refusal(const TableSchema& table, const TableLayout& layout) {
  if (auto reason =
          layout.distkey.empty() ? std::nullopt : key_refusal(table, "distkey", layout.distkey)) {
    return reason;
  }
  for (const std::string& name : layout.sortkey) {
    if (auto reason = key_refusal(table, "sortkey", name)) {
      return reason;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> types_refusal(const TableSchema& table) {
  for (const Column& column : table.columns) {
    if (auto reason = type_refusal(column.type)) {
      return fmt::format("types of [[table]] names the column \"{}\": {}", column.name, *reason);
    }
    if (!can_be_compared(column.type) && (column.key || is_multiset(table))) {
      return fmt::format(
          "types of [[table]] makes the column \"{}\" SUPER, and the table's rows are told apart "
          "by it{}: Redshift cannot compare such values",
          column.name, column.key ? "" : ", as by all columns where there is no key");
    }
  }
  return std::nullopt;
}

QualifiedName folded(const QualifiedName& name) {
  return {folded(name.schema), folded(name.name)};
}

TargetCatalog::TargetCatalog(Session& session, const std::vector<QualifiedName>& targets) {
  std::map<std::string, std::vector<std::string>> by_schema;
  for (const QualifiedName& target : targets) {
    const QualifiedName name = folded(target);
    if (tables_.try_emplace(name).second) {
      by_schema[name.schema].push_back(name.name);
    }
  }
  std::vector<Sql> conditions;
  for (const auto& [schema, names] : by_schema) {
    conditions.push_back(sql("(table_schema = {} AND table_name IN ({}))", session.text(schema),
                             texts(session, names)));
  }
  if (conditions.empty()) {
    return;
  }
  for (const Row& row :
       session.query(sql("SELECT table_schema, table_name, column_name, data_type, "
                         "character_maximum_length, numeric_precision, numeric_scale, is_nullable, "
                         "column_default FROM svv_columns WHERE {}",
                         joined(conditions, " OR ")))) {
    const auto text = [&row](std::size_t at) { return row.at(at).value_or(""); };
    tables_[{text(0), text(1)}][text(2)] = {to_text({text(3), text(4), text(5), text(6)}),
                                            text(7) == "NO" && text(8).empty()};
  }
}

const TargetCatalog::Columns& TargetCatalog::columns(const QualifiedName& target) const {
  static const Columns kNone;
  const auto found = tables_.find(folded(target));
  return found == tables_.end() ? kNone : found->second;
}

bool TargetCatalog::has(const QualifiedName& target, const std::string& column) const {
  return columns(target).contains(folded(column));
}

std::vector<Column> TargetCatalog::missing(const StoredTable& table) const {
  std::vector<Column> lacking;
  for (const Column& column : table.schema.columns) {
    if (!has(table.target, column.name)) {
      lacking.push_back(column);
    }
  }
  return lacking;
}

std::vector<std::string> TargetCatalog::surplus(const StoredTable& table) const {
  Columns others = columns(table.target);
  for (const Column& column : table.schema.columns) {
    others.erase(folded(column.name));
  }
  std::vector<std::string> names;
  for (const auto& [name, column] : others) {
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> TargetCatalog::misfits(const StoredTable& table) const {
  std::vector<std::string> texts;
  Columns others = columns(table.target);
  for (const Column& column : table.schema.columns) {
    const auto there = others.find(folded(column.name));
    if (there == others.end()) {
      continue;
    }
    if (const std::string wanted = target_type(column.type).text();
        !takes(there->second.type, wanted)) {
      texts.push_back(fmt::format("column \"{}\" is {}, and should be {}", column.name,
                                  there->second.type, wanted));
    }
    others.erase(there);
  }
  for (const std::string& kept : table.kept_columns) {
    // One that needs a value is in the way of the next row, kept or not.
    if (const auto found = others.find(folded(kept));
        found != others.end() && !found->second.needs_value) {
      others.erase(found);
    }
  }
  for (const auto& [name, column] : others) {
    if (!table.is_kept()) {
      texts.push_back(fmt::format("column \"{}\" is not the source's", name));
    } else if (column.needs_value) {
      texts.push_back(fmt::format(
          "column \"{}\", which the source does not have, is NOT NULL without a default", name));
    }
  }
  return texts;
}

std::optional<std::string> TargetCatalog::difference(const StoredTable& table) const {
  if (columns(table.target).empty()) {
    return fmt::format("the table {} of the target is gone", to_string(table.target));
  }
  std::vector<std::string> texts = misfits(table);
  for (const Column& column : missing(table)) {
    texts.push_back(fmt::format("column \"{}\" is missing", column.name));
  }
  return texts.empty()
             ? std::nullopt
             : std::optional(fmt::format("the table {} of the target: {}", to_string(table.target),
                                         fmt::join(texts, "; ")));
}

void TargetCatalog::changed(const StoredTable& table) {
  Columns& now = tables_[folded(table.target)];
  if (!table.is_kept()) {
    std::erase_if(now, [&](const auto& column) {
      return std::ranges::none_of(table.kept_columns, [&](const std::string& kept) {
        return folded(kept) == column.first;
      });
    });
  }
  for (const Column& column : table.schema.columns) {
    now[folded(column.name)].type = target_type(column.type).text();
  }
}

Error name_taken(const QualifiedName& target) {
  return {
      ErrorKind::Table,
      fmt::format("the target has something named {} already, which re_dms did not make",
                  to_string(target)),
      "Rename or drop it, or choose another warehouse.schema; names that differ only in the case "
      "of letters are one name there"};
}

std::optional<std::size_t> distribution_column(const TableSchema& table,
                                               const TableLayout& layout) {
  if (!layout.distkey.empty()) {
    const auto found = std::ranges::find(table.columns, layout.distkey, &Column::name);
    return found == table.columns.end() ? std::nullopt
                                        : std::optional<std::size_t>(found - table.columns.begin());
  }
  return layout.diststyle.empty() ? usual_key(table) : std::nullopt;
}

std::optional<std::string> columns_refusal(const TableSchema& table) {
  // Redshift database developer guide, "CREATE TABLE".
  constexpr std::size_t kColumnsMax = 1600;
  // Of staged rows: op, mask and origin key; of equal rows: how many there are, and which it is.
  const std::size_t beside = 2 + (is_multiset(table) ? 0 : key_columns(table).size());
  if (table.columns.size() + beside > kColumnsMax) {
    return fmt::format(
        "it has {} columns: a table of Redshift has {} at most, and merging its rows takes {} "
        "more. Publish fewer of its columns",
        table.columns.size(), kColumnsMax, beside);
  }
  std::map<std::string, std::string> names;
  for (const Column& column : table.columns) {
    const auto [other, only] = names.try_emplace(folded(column.name), column.name);
    if (!only) {
      return fmt::format(
          "its columns \"{}\" and \"{}\" differ only in the case of letters, and have one name in "
          "Redshift. Rename one of them in the source",
          other->second, column.name);
    }
  }
  return std::nullopt;
}

void create_target(Session& session, const QualifiedName& target, const TableSchema& table,
                   const TableLayout& layout) {
  for (const auto& reason :
       {columns_refusal(table), types_refusal(table), layout_refusal(table, layout)}) {
    if (reason) {
      throw Error(ErrorKind::Table, *reason);
    }
  }
  const std::vector<std::string> declared = declared_key(table);
  std::vector<Sql> definitions;
  std::vector<Sql> keys;
  for (const Column& column : table.columns) {
    const bool key = std::ranges::find(declared, column.name) != declared.end();
    definitions.push_back(sql("{} {}{}", identifier(column.name), target_type(column.type),
                              key ? sql(" NOT NULL") : Sql()));
    if (key) {
      keys.push_back(identifier(column.name));
    }
  }
  if (!keys.empty()) {
    definitions.push_back(sql("PRIMARY KEY ({})", joined(keys)));
  }
  if (session.named(target) != Named::Nothing) {
    throw name_taken(target);
  }
  session.execute(sql("CREATE SCHEMA IF NOT EXISTS {}", identifier(target.schema)), Blame::Table);
  session.execute(sql("CREATE TABLE {} ({}) {} {}", qualified(target), joined(definitions),
                      distribution(table, layout), sorting(table, layout)),
                  Blame::Table);
}

std::vector<std::string> declared_key(const TableSchema& table) {
  std::vector<std::string> names;
  for (const std::size_t key : key_columns(table)) {
    names.push_back(table.columns[key].name);
  }
  return is_multiset(table) ? std::vector<std::string>{} : names;
}

std::vector<Sql> column_list(const TableSchema& table) {
  std::vector<Sql> names;
  for (const Column& column : table.columns) {
    names.push_back(identifier(column.name));
  }
  return names;
}

}  // namespace re_dms::redshift
