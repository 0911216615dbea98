#include "schema/catalog_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

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
template <typename T>
T integer(const Json& json, const char* name) {
  const Json& value = json.at(name);
  const auto number =
      value.is_number_integer() ? value.get<std::int64_t>() : std::int64_t{-1} << 40;
  if (!std::in_range<T>(number)) {
    throw Error(ErrorKind::Fatal, fmt::format("table schema: {} is no number of its range", name));
  }
  return static_cast<T>(number);
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
  column.key = json.at("key").get<bool>();
  column.not_null = json.at("not_null").get<bool>();
  if (json.contains("missing")) {
    column.missing = json.at("missing").get<std::string>();
  }
  return column;
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
  }
  for (const Json& column : json.at("columns")) {
    table.columns.push_back(column_from_json(column));
  }
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

std::string to_json(const TableSchema& table) {
  return schema_to_json(table).dump();
}

TableSchema table_schema_from_json(std::string_view json) {
  return parsed(json, "a stored table schema", schema_from_json);
}

std::string catalog_to_json(const std::vector<CatalogTable>& tables) {
  Json json = Json::array();
  for (const CatalogTable& table : tables) {
    Json entry = schema_to_json(table.schema);
    entry["admitted"] = table.admitted;
    json.push_back(std::move(entry));
  }
  return json.dump();
}

std::vector<CatalogTable> catalog_from_json(std::string_view json) {
  return parsed(json, "a catalog record", [](const Json& array) {
    std::vector<CatalogTable> tables;
    for (const Json& entry : array) {
      tables.push_back({schema_from_json(entry), entry.at("admitted").get<bool>()});
    }
    return tables;
  });
}

}  // namespace re_dms
