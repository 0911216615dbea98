#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/failpoint.h"
#include "stage/stager.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kManifestFormat = 1;

Json time_to_json(SystemTime time) {
  return time == SystemTime() ? Json(nullptr) : Json(to_text(time));
}

Json span_to_json(const BatchSpan& span) {
  Json json;
  json["number"] = span.number;
  json["from"] = to_string(span.from);
  json["to"] = to_string(span.to);
  json["first_commit"] = time_to_json(span.first_commit);
  json["last_commit"] = time_to_json(span.last_commit);
  json["transactions"] = span.transactions;
  json["changes"] = span.changes;
  return json;
}

std::string_view shape_name(LayerShape shape) {
  switch (shape) {
    case LayerShape::Inserts:
      return "inserts";
    case LayerShape::Changes:
      return "changes";
    case LayerShape::Multiset:
      return "multiset";
  }
  return "unknown";
}

Json counts_to_json(const LayerCounts& counts) {
  Json json;
  json["inserts"] = counts.inserts;
  json["replaces"] = counts.replaces;
  json["updates"] = counts.updates;
  json["deletes"] = counts.deletes;
  return json;
}

Json file_to_json(const StagedFile& file) {
  Json json;
  json["path"] = file.path;
  json["rows"] = file.rows;
  json["csv_bytes"] = file.csv_bytes;
  json["stored_bytes"] = file.stored_bytes;
  json["row_bytes_max"] = file.row_bytes_max;
  json["crc32c"] = fmt::format("{:08x}", file.crc32c);
  return json;
}

Json layer_to_json(const StagedLayer& layer) {
  const TableSchema& table = *layer.table;
  Json json;
  json["oid"] = table.oid;
  json["schema"] = table.name.schema;
  json["table"] = table.name.name;
  json["shape"] = shape_name(layer.shape);
  json["truncate"] = layer.truncate;
  json["counts"] = counts_to_json(layer.counts);
  // The files have no header line: these two name their fields.
  json["columns"] = Json::array();
  json["key"] = Json::array();
  for (const Column& column : table.columns) {
    json["columns"].push_back(column.name);
    if (column.key) {
      json["key"].push_back(column.name);
    }
  }
  json["files"] = Json::array();
  for (const StagedFile& file : layer.files) {
    json["files"].push_back(file_to_json(file));
  }
  return json;
}

Json set_aside_to_json(const SetAside& set_aside) {
  Json json;
  json["oid"] = set_aside.oid;
  json["schema"] = set_aside.table.schema;
  json["table"] = set_aside.table.name;
  json["reason"] = set_aside.reason;
  json["position"] = to_string(set_aside.position);
  return json;
}

}  // namespace

std::string write_copy_manifest(ObjectStore& store, const StageNames& names,
                                const PartNumber& number, const StagedLayer& layer) {
  Json json;
  json["entries"] = Json::array();
  for (const StagedFile& file : layer.files) {
    json["entries"].push_back({{"url", file.path},
                               {"mandatory", true},
                               {"meta", {{"content_length", file.stored_bytes}}}});
  }
  const std::unique_ptr<ObjectWriter> object = store.create(
      fmt::format("{}{}b{}-l{}.copy.json", names.prefix(), names.room, number.batch, number.layer));
  object->append(json.dump() + "\n");
  return object->finish();
}

std::string write_manifest(ObjectStore& store, const StageNames& names, const StagedBatch& batch) {
  Json json;
  json["format"] = kManifestFormat;
  json["batch"] = span_to_json(batch.span);
  json["layers"] = Json::array();
  for (const StagedLayer& layer : batch.layers) {
    json["layers"].push_back(layer_to_json(layer));
  }
  json["set_aside"] = Json::array();
  for (const SetAside& set_aside : batch.set_aside) {
    json["set_aside"].push_back(set_aside_to_json(set_aside));
  }
  const std::unique_ptr<ObjectWriter> object = store.create(
      fmt::format("{}{}b{}.manifest.json", names.prefix(), names.room, batch.span.number));
  // A reason may quote bytes that are not UTF-8; the manifest is written anyway.
  object->append(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  failpoint("stage-manifest-before");
  std::string path = object->finish();
  failpoint("stage-manifest-after");
  return path;
}

}  // namespace re_dms
