#include "journal/origin_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/proven_end.h"
#include "journal/segment_file.h"
#include "observe/advice.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kOriginFormat = 1;

std::string origin_path(const std::string& directory) {
  return directory + "/origin.json";
}

std::string lock_path(const std::string& directory) {
  return directory + "/lock";
}

Origin origin_from_json(const Json& json) {
  Origin origin;
  origin.system_identifier = json.at("system_identifier").get<std::string>();
  origin.timeline = json.at("timeline").get<std::uint32_t>();
  origin.database = json.at("database").get<std::string>();
  origin.slot = json.at("slot").get<std::string>();
  origin.publication = json.at("publication").get<std::string>();
  origin.server_version = json.at("server_version").get<int>();
  origin.created = json.at("created").get<bool>();
  const auto point = Lsn::parse(json.at("consistent_point").get<std::string>());
  if (!point) {
    throw Error(ErrorKind::Fatal, "consistent_point is not an LSN");
  }
  origin.consistent_point = *point;
  origin.admitted = json.at("admitted").get<std::vector<Oid>>();
  origin.slot_is_ours = json.value("slot_is_ours", true);
  origin.target_made = json.value("target_made", false);
  return origin;
}

std::string restore_it() {
  return or_begin_anew("It says which slot this journal belongs to. Restore it. ");
}

}  // namespace

std::unique_ptr<DirectoryLock> lock_journal(FileSystem& files, const std::string& directory) {
  files.create_directories(directory);
  return files.lock(lock_path(directory));
}

std::optional<Origin> load_origin(FileSystem& files, const std::string& directory) {
  const std::string path = origin_path(directory);
  std::string problem;
  if (!files.exists(path)) {
    if (list_segments(files, directory).empty()) {
      return std::nullopt;
    }
    throw Error(ErrorKind::Fatal, fmt::format("{} is missing beside segments", path), restore_it());
  }
  try {
    const Json json = Json::parse(read_file(files, path));
    if (const int format = json.at("format").get<int>(); format != kOriginFormat) {
      problem = fmt::format("has format {}; this re_dms reads {}", format, kOriginFormat);
    } else {
      return origin_from_json(json);
    }
  } catch (const nlohmann::json::exception& error) {
    problem = fmt::format("cannot be read: {}", error.what());
  } catch (Error& error) {
    error.in(path);
    throw;
  }
  throw Error(ErrorKind::Fatal, fmt::format("{} {}", path, problem), restore_it());
}

void store_origin(FileSystem& files, const std::string& directory, const Origin& origin) {
  Json json;
  json["format"] = kOriginFormat;
  json["system_identifier"] = origin.system_identifier;
  json["timeline"] = origin.timeline;
  json["database"] = origin.database;
  json["slot"] = origin.slot;
  json["publication"] = origin.publication;
  json["server_version"] = origin.server_version;
  json["created"] = origin.created;
  json["slot_is_ours"] = origin.slot_is_ours;
  json["consistent_point"] = to_string(origin.consistent_point);
  json["admitted"] = origin.admitted;
  json["target_made"] = origin.target_made;
  files.create_directories(directory);
  failpoint("origin-before");
  replace_file(files, origin_path(directory), json.dump(2) + "\n");
  failpoint("origin-after");
}

void remove_segments(FileSystem& files, const std::string& directory) {
  for (const std::string& name : files.list(directory)) {
    if (name.ends_with(".journal.new") || name == "origin.json.new" || name == "end.json.new") {
      files.remove(fmt::format("{}/{}", directory, name));
    }
  }
  // First: it tells of a segment that another one of the same number may follow.
  files.remove(proven_end_path(directory));
  for (const std::uint64_t number : list_segments(files, directory)) {
    files.remove(segment_path(directory, number));
  }
  failpoint("segments-removed-before");
  files.sync_directory(directory);
  failpoint("segments-removed-after");
}

void remove_beginning(FileSystem& files, const std::string& directory) {
  remove_segments(files, directory);
  // Last: while it is there, whoever repeats this still knows whose journal this was.
  files.remove(origin_path(directory));
  failpoint("beginning-removed");
  files.sync_directory(directory);
}

void remove_journal(FileSystem& files, const std::string& directory, const DirectoryLock&) {
  remove_segments(files, directory);
  // Last: while it is there, a repeated teardown still knows whose journal this was.
  files.remove(origin_path(directory));
  failpoint("teardown-origin-removed");
  files.remove(lock_path(directory));
  files.sync_directory(directory);
}

}  // namespace re_dms
