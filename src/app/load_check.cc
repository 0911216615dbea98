#include "app/load_check.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "stage/gzip.h"
#include "stage/stager.h"

namespace re_dms {

namespace {

constexpr std::string_view kRow = "re_dms check\n";

/// The names of no run of the daemon.
StageNames probe_names(const StageFormat& format) {
  return {.system_identifier = "check", .slot = "check", .random = random_hex(), .format = format};
}

StagedLayer stage_probe(ObjectStore& store, const StageNames& names) {
  StagedLayer layer;
  layer.counts.inserts = 1;
  const auto object = store.create(names.prefix() + "probe.csv.gz");
  GzipStream gzip(*object, store.compression());
  gzip.take(kRow);
  gzip.finish();
  StagedFile file;
  file.path = object->finish();
  file.rows = 1;
  file.csv_bytes = kRow.size();
  file.stored_bytes = gzip.bytes();
  file.row_bytes_max = kRow.size();
  file.crc32c = gzip.crc32c();
  layer.files.push_back(file);
  layer.manifest_path = write_copy_manifest(store, names, {}, layer);
  return layer;
}

CheckResult failure(const Error& error) {
  return {CheckResult::Status::Fail, "target: COPY", error.message(), error.advice()};
}

/// Of an s3:// URL.
std::string iam_statement(const std::string& url) {
  const std::string place = url.substr(std::string_view("s3://").size());
  const std::string bucket = place.substr(0, place.find('/'));
  const std::string slash = place.ends_with('/') ? "" : "/";
  return fmt::format(
      R"([{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{}{}*"}}, )"
      R"({{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{}"}}])",
      place, slash, bucket);
}

}  // namespace

std::vector<CheckResult> check_load(const StageSettings& stage,
                                    const WarehouseSettings& warehouse) {
  if (!stage.s3) {
    return {};
  }
  WarehouseSettings settings = warehouse;
  const StageFormat format = stage_format(settings, random_hex());
  settings.null_text = format.null_text;
  std::vector<CheckResult> results;
  try {
    const auto store = open_store(stage, {});
    const StageNames names = probe_names(format);
    try {
      results = check_copy(settings, stage_probe(*store, names));
    } catch (const Error& error) {
      results.push_back(failure(error));
    }
    store->remove_all(store->list(names.prefix()));
  } catch (const Error& error) {
    results.push_back(failure(error));
  }
  for (CheckResult& result : results) {
    if (result.status == CheckResult::Status::Fail && result.name == "target: COPY") {
      result.fix += fmt::format(". The role needs {}", iam_statement(stage.s3->url));
    }
  }
  return results;
}

}  // namespace re_dms
