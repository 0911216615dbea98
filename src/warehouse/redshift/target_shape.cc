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

/// How rows are spread over the cluster and sorted.
Sql table_attributes(const TableSchema& table) {
  const auto keys = key_columns(table);
  if (is_multiset(table) || keys.size() != 1 || !may_be_key(table.columns[keys[0]].type)) {
    return sql("DISTSTYLE AUTO SORTKEY AUTO");
  }
  const Sql key = identifier(table.columns[keys[0]].name);
  return sql("DISTSTYLE KEY DISTKEY ({0}) SORTKEY ({0})", key);
}

}  // namespace

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
    others.erase(folded(kept));
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

void create_target(Session& session, const QualifiedName& target, const TableSchema& table) {
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
  session.execute(sql("CREATE TABLE {} ({}) {}", qualified(target), joined(definitions),
                      table_attributes(table)),
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
