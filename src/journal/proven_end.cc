#include "journal/proven_end.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/record_scan.h"
#include "journal/segment_file.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWriteBytes = 1U << 20;

void write_copy(FileSystem& files, const std::string& directory, const ProvenEnd& end,
                const std::string& to) {
  RecordScan scan(files, directory);
  scan.open(end.place.segment);
  const std::unique_ptr<File> copy = files.create(to);
  copy->append(scan.segment().header_text);
  while (scan.next(end.place.offset) == RecordScan::Step::Record) {
    if (scan.held().size() >= kWriteBytes) {
      copy->append(scan.held());
      scan.drop();
    }
  }
  copy->append(scan.held());
  if (scan.place() != end.place || scan.crc() != end.crc) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the segment changed at byte {} while it was read", scan.place().offset),
        "Something else writes to the file, or the disk does not return what was written to it: "
        "look at the kernel's log");
  }
  failpoint("recovery-renew-written");
  copy->sync();
}

/// An unfinished file of a full disk takes the last of its room.
void remove_if_possible(FileSystem& files, const std::string& path) {
  try {
    files.remove(path);
  } catch (const Error&) {
    return;  // the next start removes it
  }
}

}  // namespace

std::string proven_end_path(const std::string& directory) {
  return directory + "/end.json";
}

std::optional<ProvenEnd> load_proven_end(FileSystem& files, const std::string& directory) {
  const std::string path = proven_end_path(directory);
  if (!files.exists(path)) {
    return std::nullopt;
  }
  try {
    const Json json = Json::parse(read_file(files, path));
    return ProvenEnd{
        {json.at("segment").get<std::uint64_t>(), json.at("bytes").get<std::uint64_t>()},
        json.at("crc").get<std::uint32_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void store_proven_end(FileSystem& files, const std::string& directory, const ProvenEnd& end) {
  Json json;
  json["segment"] = end.place.segment;
  json["bytes"] = end.place.offset;
  json["crc"] = end.crc;
  replace_file(files, proven_end_path(directory), json.dump(2) + "\n");
}

void renew_segment(FileSystem& files, const std::string& directory, const ProvenEnd& end) {
  const std::string path = segment_path(directory, end.place.segment);
  const std::string fresh = path + ".new";
  failpoint("recovery-renew-before");
  try {
    write_copy(files, directory, end, fresh);
  } catch (Error& error) {
    remove_if_possible(files, fresh);
    error.in(
        fmt::format("the last run did not end cleanly, so the {} bytes of the journal's last "
                    "segment, {}, must be rewritten",
                    end.place.offset, path));
    throw;
  }
  files.rename(fresh, path);
  failpoint("recovery-renew-renamed");
  files.sync_directory(directory);
  failpoint("recovery-renew-after");
}

}  // namespace re_dms
