#include "journal/segment_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "model/output_settings.h"
#include "observe/advice.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "REDMSJNL";
constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kDigits = 16;
constexpr std::size_t kPreambleBytes = 16;  // magic, format, length of the JSON
constexpr std::uint32_t kJsonBytesMax = 1U << 20;

[[noreturn]] void refuse(const std::string& path, std::string_view problem) {
  throw Error(
      ErrorKind::Fatal, fmt::format("journal segment {} {}", path, problem),
      or_begin_anew("Segments are made durable with their header, so this is damage to the "
                    "file or the disk. `re_dms journal inspect` shows what is left. Restore "
                    "the file, if there is a copy of it. "));
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char digit : name.substr(0, kDigits)) {
    const bool decimal = digit >= '0' && digit <= '9';
    if (!decimal && (digit < 'a' || digit > 'f')) {
      return std::nullopt;
    }
    number = number * 16 + static_cast<std::uint64_t>(decimal ? digit - '0' : digit - 'a' + 10);
  }
  return number;
}

Json to_json(const SegmentHeader& header) {
  Json json;
  json["re_dms"] = header.version;
  json["segment"] = header.number;
  json["system_identifier"] = header.origin.system_identifier;
  json["timeline"] = header.origin.timeline;
  json["database"] = header.origin.database;
  json["slot"] = header.origin.slot;
  json["publication"] = header.origin.publication;
  json["server_version"] = header.origin.server_version;
  json["protocol"] = {{"proto_version", 1}, {"binary", false}, {"messages", true}};
  for (const OutputSetting& setting : kOutputSettings) {
    json["settings"][std::string(setting.name)] = std::string(setting.value);
  }
  json["position"] = to_string(header.position);
  json["last_commit_end"] = to_string(header.last_commit_end);
  json["open"] = header.open;
  json["previous_bytes"] = header.previous_bytes;
  json["previous_crc"] = header.previous_crc;
  return json;
}

Lsn lsn_at(const Json& json, const char* name) {
  const auto lsn = Lsn::parse(json.at(name).get<std::string>());
  if (!lsn) {
    throw Error(ErrorKind::Fatal, fmt::format("{} is not an LSN", name));
  }
  return *lsn;
}

SegmentHeader header_from_json(std::string_view text) {
  const Json json = Json::parse(text);
  SegmentHeader header;
  header.version = json.at("re_dms").get<std::string>();
  header.number = json.at("segment").get<std::uint64_t>();
  header.origin.system_identifier = json.at("system_identifier").get<std::string>();
  header.origin.timeline = json.at("timeline").get<std::uint32_t>();
  header.origin.database = json.at("database").get<std::string>();
  header.origin.slot = json.at("slot").get<std::string>();
  header.origin.publication = json.at("publication").get<std::string>();
  header.origin.server_version = json.at("server_version").get<int>();
  header.position = lsn_at(json, "position");
  header.last_commit_end = lsn_at(json, "last_commit_end");
  header.open = json.at("open").get<bool>();
  header.previous_bytes = json.at("previous_bytes").get<std::uint64_t>();
  header.previous_crc = json.at("previous_crc").get<std::uint32_t>();
  return header;
}

/// Magic, format, JSON and CRC as read; throws Fatal unless they are whole.
std::string read_header_bytes(const File& file, const std::string& path) {
  std::string bytes(kPreambleBytes, '\0');
  if (file.read_at(0, bytes.data(), bytes.size()) != bytes.size()) {
    refuse(path, "ends inside its header");
  }
  if (!bytes.starts_with(kMagic)) {
    refuse(path, "does not begin with REDMSJNL");
  }
  const auto size = load_le<std::uint32_t>(bytes.data() + 12);
  if (size > kJsonBytesMax || file.size() < kPreambleBytes + size + sizeof(std::uint32_t)) {
    refuse(path, "has a damaged header: its length is impossible");
  }
  bytes.resize(kPreambleBytes + size + sizeof(std::uint32_t));
  const std::size_t rest = bytes.size() - kPreambleBytes;
  if (file.read_at(kPreambleBytes, bytes.data() + kPreambleBytes, rest) != rest) {
    refuse(path, "ends inside its header");
  }
  return bytes;
}

}  // namespace

std::string segment_path(std::string_view directory, std::uint64_t number) {
  return fmt::format("{}/{:016x}{}", directory, number, kSuffix);
}

std::vector<std::uint64_t> list_segments(FileSystem& files, const std::string& directory) {
  std::vector<std::uint64_t> numbers;
  if (!files.exists(directory)) {
    return numbers;
  }
  for (const std::string& name : files.list(directory)) {
    if (const auto number = segment_number(name)) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::string encode_header(const SegmentHeader& header) {
  const std::string json = to_json(header).dump();
  std::string bytes(kMagic);
  append_le(bytes, kJournalFormat);
  append_le(bytes, static_cast<std::uint32_t>(json.size()));
  bytes += json;
  append_le(bytes, crc32c(0, bytes));
  return bytes;
}

SegmentFile open_segment(FileSystem& files, const std::string& directory, std::uint64_t number) {
  const std::string path = segment_path(directory, number);
  SegmentFile segment;
  segment.file = files.open_read(path);
  const std::string bytes = read_header_bytes(*segment.file, path);
  const std::size_t crc_at = bytes.size() - sizeof(std::uint32_t);
  segment.crc = load_le<std::uint32_t>(bytes.data() + crc_at);
  if (crc32c(0, std::string_view(bytes).substr(0, crc_at)) != segment.crc) {
    refuse(path, "has a damaged header: its CRC is wrong");
  }
  // Only now, because a damaged version number says nothing.
  const auto format = load_le<std::uint32_t>(bytes.data() + kMagic.size());
  if (format == 0 || format > kJournalFormat) {
    throw Error(ErrorKind::Fatal,
                fmt::format("journal segment {} has format {}; this re_dms reads up to {}", path,
                            format, kJournalFormat),
                "Run the release that wrote it, or a newer one");
  }
  try {
    segment.header =
        header_from_json(std::string_view(bytes).substr(kPreambleBytes, crc_at - kPreambleBytes));
  } catch (const nlohmann::json::exception& problem) {
    refuse(path, fmt::format("has a header that cannot be read: {}", problem.what()));
  }
  if (segment.header.number != number) {
    refuse(path, fmt::format("holds segment {:016x}: it was renamed", segment.header.number));
  }
  segment.header_bytes = bytes.size();
  segment.header_text = bytes;
  return segment;
}

SegmentFile create_segment(FileSystem& files, const std::string& directory,
                           const SegmentHeader& header) {
  const std::string path = segment_path(directory, header.number);
  const std::string bytes = encode_header(header);
  failpoint("journal-segment-before");
  replace_file(files, path, bytes);
  failpoint("journal-segment-after");
  SegmentFile segment;
  segment.file = files.open_append(path);
  segment.header = header;
  segment.header_bytes = bytes.size();
  segment.header_text = bytes;
  segment.crc = load_le<std::uint32_t>(bytes.data() + bytes.size() - sizeof(std::uint32_t));
  return segment;
}

void check_same_origin(const Origin& segment, const Origin& ours, const std::string& path) {
  const auto check = [&](std::string_view field, const auto& theirs, const auto& mine) {
    if (theirs != mine) {
      throw Error(
          ErrorKind::Fatal,
          fmt::format("journal segment {} belongs to {} '{}', not '{}'", path, field, theirs, mine),
          "A journal holds the changes of one slot: give each slot its own "
          "journal.directory");
    }
  };
  check("system identifier", segment.system_identifier, ours.system_identifier);
  check("timeline", segment.timeline, ours.timeline);
  check("database", segment.database, ours.database);
  check("slot", segment.slot, ours.slot);
  check("publication", segment.publication, ours.publication);
}

}  // namespace re_dms
