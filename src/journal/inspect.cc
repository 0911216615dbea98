#include "journal/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "base/error.h"
#include "journal/record_scan.h"
#include "journal/segment_file.h"
#include "journal/stream_track.h"
#include "pgoutput/messages.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

/// What the segment before says of the next one's beginning.
struct Seam {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  bool open = false;
};

void count_row(std::string_view message, const std::map<Oid, std::string>& names,
               SegmentReport& report) {
  const Oid table = pgoutput::row_relation(message);
  ++report.rows;
  if (!report.tables.contains(table)) {
    const auto name = names.find(table);
    report.tables[table] = name != names.end() ? name->second : fmt::format("oid {}", table);
  }
}

void count_commit(std::string_view message, SegmentReport& report) {
  const pgoutput::Commit commit = pgoutput::decode_commit(message);
  ++report.transactions;
  if (!report.first_commit.known()) {
    report.first_commit = commit.commit_lsn;
    report.first_time = commit.commit_time;
  }
  report.last_commit_end = commit.end_lsn;
  report.last_time = commit.commit_time;
}

void count(const RecordView& record, std::map<Oid, std::string>& names, SegmentReport& report) {
  if (record.kind == RecordKind::Abort) {
    ++report.aborts;
    return;
  }
  if (record.kind != RecordKind::Message && record.kind != RecordKind::Relation) {
    return;
  }
  switch (record.body.empty() ? '\0' : record.body[0]) {
    case 'R': {
      const Relation relation = pgoutput::decode_relation(record.body);
      names[relation.oid] = to_string(relation.name);
      return;
    }
    case 'I':
    case 'U':
    case 'D':
      count_row(record.body, names, report);
      return;
    case 'C':
      count_commit(record.body, report);
      return;
    default:
      return;
  }
}

/// What is wrong with the way a segment joins the one before; `before` is empty where that one is
/// damaged itself or this one is the oldest.
std::string seam_problem(const std::optional<Seam>& before, const SegmentHeader& header) {
  if (!before) {
    return {};
  }
  if (header.number != before->number + 1) {
    return fmt::format("the segments between {:016x} and this one are missing", before->number);
  }
  if (header.previous_bytes != before->bytes || header.previous_crc != before->crc) {
    return fmt::format("segment {:016x} has changed since this one was created", before->number);
  }
  return header.open != before->open ? "the header contradicts the segment before" : "";
}

/// Reads records to the segment's end or its first fault.
void read_records(RecordScan& scan, std::map<Oid, std::string>& names, SegmentReport& report) {
  StreamTrack track;
  track.open = report.begins_open;
  track.position = report.position;
  track.last_commit_end = scan.segment().header.last_commit_end;
  std::uint64_t good = scan.place().offset;
  try {
    RecordScan::Step step = scan.next(report.bytes);
    for (; step == RecordScan::Step::Record; step = scan.next(report.bytes)) {
      track.note(scan.record());
      count(scan.record(), names, report);
      scan.drop();
      good = scan.place().offset;
    }
    if (step == RecordScan::Step::Bad) {
      report.fault = {good, scan.problem()};
    }
  } catch (const Error& error) {
    report.fault = {good, error.message()};
  }
  report.ends_open = track.open;
}

/// Reads one segment; `seam` is that of the segment before and becomes this one's.
SegmentReport report_segment(RecordScan& scan, std::uint64_t number, const std::string& path,
                             std::optional<Seam>& seam, std::map<Oid, std::string>& names) {
  SegmentReport report;
  report.file = path;
  const std::optional<Seam> before = std::exchange(seam, std::nullopt);
  try {
    scan.open(number);
    const SegmentHeader& header = scan.segment().header;
    report.bytes = scan.segment().file->size();
    report.position = header.position;
    report.begins_open = header.open;
    read_records(scan, names, report);
    const std::string problem = seam_problem(before, header);
    if (!problem.empty()) {
      report.fault = {0, problem};
    }
    if (!report.fault) {
      seam = {number, report.bytes, scan.crc(), report.ends_open};
    }
  } catch (const Error& error) {
    report.fault = {0, error.message()};
  }
  scan.drop();
  return report;
}

Json to_json(const SegmentReport& report) {
  Json json;
  json["file"] = report.file;
  json["bytes"] = report.bytes;
  json["position"] = to_string(report.position);
  json["begins_open"] = report.begins_open;
  json["ends_open"] = report.ends_open;
  json["transactions"] = report.transactions;
  json["rows"] = report.rows;
  json["aborts"] = report.aborts;
  if (report.first_time && report.last_time) {
    json["first_commit_lsn"] = to_string(report.first_commit);
    json["last_commit_end"] = to_string(report.last_commit_end);
    json["first_commit_time"] = to_text(*report.first_time);
    json["last_commit_time"] = to_text(*report.last_time);
  }
  json["tables"] = Json::array();
  for (const auto& [oid, name] : report.tables) {
    json["tables"].push_back({{"oid", oid}, {"name", name}});
  }
  if (report.fault) {
    json["fault"] = {{"offset", report.fault->offset}, {"reason", report.fault->reason}};
  }
  return json;
}

void print(const SegmentReport& report, std::ostream& out) {
  out << fmt::format("{}  {} bytes, begins at {}{}\n", report.file, report.bytes, report.position,
                     report.begins_open ? " inside a transaction" : "");
  if (report.first_time && report.last_time) {
    out << fmt::format("    commits {} to {}, {} to {}\n", report.first_commit,
                       report.last_commit_end, to_text(*report.first_time),
                       to_text(*report.last_time));
  }
  out << fmt::format("    {} transactions, {} rows, {} aborts{}\n", report.transactions,
                     report.rows, report.aborts,
                     report.ends_open ? ", ends inside a transaction" : "");
  for (const auto& [oid, name] : report.tables) {
    out << fmt::format("    table {} ({})\n", name, oid);
  }
  if (report.fault) {
    out << fmt::format("    DAMAGED at byte {}: {}\n", report.fault->offset, report.fault->reason);
  }
}

void print_summary(const std::vector<SegmentReport>& reports, std::ostream& out) {
  SegmentReport sum;
  const SegmentReport* damaged = nullptr;
  std::uint64_t bad_byte = 0;
  for (const SegmentReport& report : reports) {
    sum.bytes += report.bytes;
    sum.transactions += report.transactions;
    sum.rows += report.rows;
    if (report.fault && damaged == nullptr) {
      damaged = &report;
      bad_byte = report.fault->offset;
    }
  }
  out << fmt::format("{} segments, {} bytes, {} transactions, {} rows: ", reports.size(), sum.bytes,
                     sum.transactions, sum.rows);
  if (damaged == nullptr) {
    out << "sound\n";
    return;
  }
  out << fmt::format("DAMAGED, first in {} at byte {}\n", damaged->file, bad_byte);
  if (damaged == &reports.back() && bad_byte > 0) {
    out << "It is the end of the last segment: a crash leaves such a tail too, and the next start "
           "removes it.\n";
  }
}

}  // namespace

std::vector<SegmentReport> report_segments(FileSystem& files, const std::string& directory) {
  std::vector<SegmentReport> reports;
  std::map<Oid, std::string> names;
  std::optional<Seam> seam;
  RecordScan scan(files, directory);
  for (const std::uint64_t number : list_segments(files, directory)) {
    reports.push_back(report_segment(scan, number, segment_path(directory, number), seam, names));
  }
  const bool no_start =
      std::ranges::all_of(reports, [](const SegmentReport& report) { return report.begins_open; });
  if (no_start && !reports.empty() && !reports.front().fault) {
    reports.front().fault = {0, "no segment begins between transactions: no reader can start"};
  }
  return reports;
}

bool inspect_journal(FileSystem& files, const std::string& directory, std::ostream& out,
                     bool json) {
  const std::vector<SegmentReport> reports = report_segments(files, directory);
  bool sound = true;
  Json document;
  document["segments"] = Json::array();
  for (const SegmentReport& report : reports) {
    sound = sound && !report.fault;
    if (json) {
      document["segments"].push_back(to_json(report));
    } else {
      print(report, out);
    }
  }
  if (json) {
    document["sound"] = sound;
    out << document.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    print_summary(reports, out);
  }
  return sound;
}

}  // namespace re_dms
