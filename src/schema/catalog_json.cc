#include "schema/catalog_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "base/error.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

Json parts_to_json(const TypeParts& type) {
  Json json;
  json["kind"] = std::string(1, static_cast<char>(type.kind));
  json["oid"] = type.oid;
  if (type.kind == TypeParts::Kind::Array) {
    json["delimiter"] = std::string(1, type.delimiter);
  }
  if (type.attnum != 0) {
    json["name"] = type.name;
    json["attnum"] = type.attnum;
  }
  for (const TypeParts& part : type.parts) {
    json["parts"].push_back(parts_to_json(part));
  }
  return json;
}

Json column_to_json(const Column& column) {
  Json json;
  json["name"] = column.name;
  json["attnum"] = column.attnum;
  json["type"] = column.type.oid;
  json["typmod"] = column.type.typmod;
  json["type_name"] = column.type.name;
  json["kind"] = std::string(1, column.type.kind);
  json["base"] = column.type.base_oid;
  json["base_typmod"] = column.type.base_typmod;
  json["element"] = column.type.element_oid;
  if (!column.type.target.empty()) {
    json["target"] = column.type.target;
  }
  if (column.type.parts) {
    json["parts"] = parts_to_json(*column.type.parts);
  }
  json["key"] = column.key;
  json["not_null"] = column.not_null;
  if (column.missing) {
    json["missing"] = *column.missing;
  }
  return json;
}

char one_char(const Json& json, const char* name) {
  const auto text = json.at(name).get<std::string>();
  if (text.size() != 1) {
    throw Error(ErrorKind::Fatal, fmt::format("table schema: {} is not one character", name));
  }
  return text[0];
}

/// The library would convert what does not fit, silently.
template <typename T, typename Name>
T integer(const Json& json, Name name) {
  const Json& value = json.at(name);
  const auto number =
      value.is_number_integer() ? value.get<std::int64_t>() : std::int64_t{-1} << 40;
  if (!std::in_range<T>(number)) {
    throw Error(ErrorKind::Fatal,
                fmt::format("table schema: {} is not a number in its range", name));
  }
  return static_cast<T>(number);
}

/// Whether it has as many parts as its kind has.
bool suit(const TypeParts& type) {
  switch (type.kind) {
    case TypeParts::Kind::Single:
    case TypeParts::Kind::Hstore:
      return type.parts.empty();
    case TypeParts::Kind::Array:
      return type.parts.size() == 1;
    case TypeParts::Kind::Composite:
      return true;
  }
  return false;
}

TypeParts parts_from_json(const Json& json, std::size_t depth = 1) {
  TypeParts type;
  type.kind = static_cast<TypeParts::Kind>(one_char(json, "kind"));
  type.oid = integer<Oid>(json, "oid");
  if (json.contains("delimiter")) {
    type.delimiter = one_char(json, "delimiter");
  }
  if (json.contains("attnum")) {
    type.name = json.at("name").get<std::string>();
    type.attnum = integer<std::int16_t>(json, "attnum");
  }
  if (json.contains("parts")) {
    if (depth == TypeParts::kDepthMax) {
      throw Error(ErrorKind::Fatal, "table schema: a type is nested too deep");
    }
    for (const Json& part : json.at("parts")) {
      type.parts.push_back(parts_from_json(part, depth + 1));
    }
  }
  if (!suit(type)) {
    throw Error(ErrorKind::Fatal, "table schema: the parts of a type are not those of its kind");
  }
  return type;
}

Column column_from_json(const Json& json) {
  Column column;
  column.name = json.at("name").get<std::string>();
  column.attnum = integer<std::int16_t>(json, "attnum");
  column.type.oid = integer<Oid>(json, "type");
  column.type.typmod = integer<std::int32_t>(json, "typmod");
  column.type.name = json.at("type_name").get<std::string>();
  column.type.kind = one_char(json, "kind");
  column.type.base_oid = integer<Oid>(json, "base");
  column.type.base_typmod = integer<std::int32_t>(json, "base_typmod");
  column.type.element_oid = integer<Oid>(json, "element");
  column.type.target = json.value("target", "");
  if (json.contains("parts")) {
    column.type.parts = SharedParts(parts_from_json(json.at("parts")));
  }
  column.key = json.at("key").get<bool>();
  column.not_null = json.at("not_null").get<bool>();
  if (json.contains("missing")) {
    column.missing = json.at("missing").get<std::string>();
  }
  return column;
}

/// Columns of one type keep its parts once.
void share_parts(std::vector<Column>& columns) {
  std::unordered_map<Oid, SharedParts> kept;
  for (Column& column : columns) {
    if (SharedParts& parts = column.type.parts) {
      const SharedParts& first = kept.try_emplace(column.type.base_oid, parts).first->second;
      if (parts == first) {
        parts = first;
      }
    }
  }
}

Json row_to_json(const CatalogRow& row) {
  return Json::array({row.oid, row.xmin});
}

Json publishing_to_json(const Publishing& publishing) {
  Json rows = Json::array({row_to_json(publishing.publication)});
  for (const CatalogRow& row : publishing.path) {
    rows.push_back(row_to_json(row));
  }
  return rows;
}

Publishing publishing_from_json(const Json& json) {
  std::vector<CatalogRow> rows;
  for (const Json& row : json) {
    rows.push_back({integer<Oid>(row, 0U), integer<std::uint32_t>(row, 1U)});
  }
  if (rows.empty()) {
    throw Error(ErrorKind::Fatal, "table schema: publication is empty");
  }
  return {rows.front(), {rows.begin() + 1, rows.end()}};
}

Json key_to_json(const PrimaryKey& key) {
  return {{"index", key.index}, {"columns", key.columns}};
}

PrimaryKey key_from_json(const Json& json) {
  PrimaryKey key;
  key.index = integer<Oid>(json, "index");
  const Json& columns = json.at("columns");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    key.columns.push_back(integer<std::int16_t>(columns, i));
  }
  return key;
}

Lsn lsn_from_json(const Json& json, const char* name) {
  const std::optional<Lsn> lsn = Lsn::parse(json.at(name).get<std::string>());
  if (!lsn) {
    throw Error(ErrorKind::Fatal, fmt::format("table schema: {} is not an LSN", name));
  }
  return *lsn;
}

Json schema_to_json(const TableSchema& table) {
  Json json;
  json["oid"] = table.oid;
  json["schema"] = table.name.schema;
  json["table"] = table.name.name;
  json["identity"] = std::string(1, static_cast<char>(table.identity));
  if (table.history != TableHistory{}) {
    json["file_node"] = table.history.file_node;
    json["last_attnum"] = table.history.last_attnum;
    json["last_dropped"] = table.history.last_dropped;
    if (table.history.empty) {
      json["empty"] = true;
    }
  }
  if (table.publication) {
    json["publication"] = publishing_to_json(*table.publication);
  }
  if (table.certain_key) {
    json["certain_key"] = key_to_json(table.certain_key->key);
    json["certain_key"]["since"] = to_string(table.certain_key->since);
  }
  json["columns"] = Json::array();
  for (const Column& column : table.columns) {
    json["columns"].push_back(column_to_json(column));
  }
  return json;
}

TableSchema schema_from_json(const Json& json) {
  TableSchema table;
  table.oid = integer<Oid>(json, "oid");
  table.name = {json.at("schema").get<std::string>(), json.at("table").get<std::string>()};
  table.identity = static_cast<ReplicaIdentity>(one_char(json, "identity"));
  if (json.contains("file_node")) {
    table.history.file_node = integer<Oid>(json, "file_node");
    table.history.last_attnum = integer<std::int16_t>(json, "last_attnum");
    table.history.last_dropped = integer<std::int16_t>(json, "last_dropped");
    table.history.empty = json.value("empty", false);
  }
  if (json.contains("publication")) {
    table.publication = publishing_from_json(json.at("publication"));
  }
  if (json.contains("certain_key")) {
    const Json& key = json.at("certain_key");
    table.certain_key = CertainKey{key_from_json(key), lsn_from_json(key, "since")};
  }
  for (const Json& column : json.at("columns")) {
    table.columns.push_back(column_from_json(column));
  }
  share_parts(table.columns);
  return table;
}

Json catalog_table_to_json(const CatalogTable& table) {
  Json json = schema_to_json(table.schema);
  json["admitted"] = table.admitted;
  if (table.asked_at.known()) {
    json["asked_at"] = to_string(table.asked_at);
  }
  if (table.primary_key) {
    json["primary_key"] = key_to_json(*table.primary_key);
  }
  if (table.unsent_key) {
    json["unsent_key"] = true;
  }
  if (table.raw_text) {
    json["raw_text"] = true;
  }
  if (!table.unreadable.empty()) {
    json["unreadable"] = table.unreadable;
  }
  return json;
}

CatalogTable catalog_table_from_json(const Json& json) {
  CatalogTable table;
  table.schema = schema_from_json(json);
  table.admitted = json.at("admitted").get<bool>();
  if (json.contains("asked_at")) {
    table.asked_at = lsn_from_json(json, "asked_at");
  }
  if (json.contains("primary_key")) {
    table.primary_key = key_from_json(json.at("primary_key"));
  }
  table.unsent_key = json.value("unsent_key", false);
  table.raw_text = json.value("raw_text", false);
  table.unreadable = json.value("unreadable", "");
  return table;
}

template <typename F>
auto parsed(std::string_view text, std::string_view what, F read) {
  try {
    return read(Json::parse(text));
  } catch (const nlohmann::json::exception& problem) {
    throw Error(ErrorKind::Fatal, fmt::format("{} cannot be read: {}", what, problem.what()));
  }
}

}  // namespace

std::string to_json(const TableSchema& table, const BesideSchema& beside) {
  Json json = schema_to_json(table);
  if (!beside.kept_columns.empty()) {
    json["kept_columns"] = beside.kept_columns;
  }
  if (!beside.copy.name.empty()) {
    json["copy"] = {{"schema", beside.copy.schema}, {"table", beside.copy.name}};
  }
  if (beside.asked) {
    json["asked"] = true;
  }
  if (beside.held_back) {
    json["held_back"] = true;
  }
  return json.dump();
}

BesideSchema beside_schema_from_json(std::string_view json) {
  return parsed(json, "a stored table schema", [](const Json& table) {
    BesideSchema beside{table.value("kept_columns", std::vector<std::string>()),
                        {},
                        table.value("asked", false),
                        table.value("held_back", false)};
    if (table.contains("copy")) {
      const Json& copy = table.at("copy");
      beside.copy = {copy.at("schema").get<std::string>(), copy.at("table").get<std::string>()};
    }
    return beside;
  });
}

TableSchema table_schema_from_json(std::string_view json) {
  return parsed(json, "a stored table schema", schema_from_json);
}

std::string catalog_to_json(const std::vector<CatalogTable>& tables) {
  Json json = Json::array();
  for (const CatalogTable& table : tables) {
    json.push_back(catalog_table_to_json(table));
  }
  return json.dump();
}

std::vector<CatalogTable> catalog_from_json(std::string_view json) {
  return parsed(json, "a catalog record", [](const Json& array) {
    std::vector<CatalogTable> tables;
    for (const Json& entry : array) {
      tables.push_back(catalog_table_from_json(entry));
    }
    return tables;
  });
}

}  // namespace re_dms
