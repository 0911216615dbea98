#include "journal/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/proven_end.h"
#include "journal/record_scan.h"
#include "journal/segment_file.h"
#include "observe/advice.h"
#include "observe/log.h"

namespace re_dms {

namespace {

/// Files that replace_file had not renamed yet, which nobody needs.
void remove_unfinished(FileSystem& files, const std::string& directory) {
  for (const std::string& name : files.list(directory)) {
    if (name.ends_with(".journal.new")) {
      files.remove(fmt::format("{}/{}", directory, name));
    }
  }
}

[[noreturn]] void refuse_hole(const std::string& path, std::string_view problem) {
  throw Error(ErrorKind::Fatal, fmt::format("the journal has a hole: segment {} {}", path, problem),
              or_begin_anew("Something other than re_dms removed, renamed or truncated a file. Put "
                            "it back. "))
      .needing_a_person();
}

/// Checks that a segment follows the one before it and adds it.
void join(std::vector<KeptSegment>& kept, const SegmentFile& segment, const std::string& path) {
  const SegmentHeader& header = segment.header;
  if (!kept.empty()) {
    const KeptSegment& before = kept.back();
    if (header.number != before.number + 1) {
      refuse_hole(path, fmt::format("follows segment {:016x}", before.number));
    }
    if (header.previous_bytes != before.bytes) {
      refuse_hole(path, fmt::format("follows a segment of {} bytes, but segment {:016x} has {}",
                                    header.previous_bytes, before.number, before.bytes));
    }
    if (header.position < before.position) {
      refuse_hole(path, fmt::format("begins at {}, before the segment it follows, at {}",
                                    header.position, before.position));
    }
  }
  kept.push_back({header.number, header.position, header.open, segment.file->size()});
}

/// Reads all records of a segment; the place behind the last good one is its end.
void follow_records(RecordScan& scan, StreamTrack& track, PositionFacts& facts,
                    const std::string& path) {
  const std::uint64_t size = scan.segment().file->size();
  while (scan.next(size) == RecordScan::Step::Record) {
    try {
      track.note(scan.record());
    } catch (Error& error) {
      error.in(fmt::format("journal segment {}, before byte {}", path, scan.place().offset));
      throw;
    }
    if (!track.open) {
      facts.note(scan.record(), track);
    }
    scan.drop();
  }
}

StreamTrack track_at(const SegmentHeader& header) {
  StreamTrack track;
  track.open = header.open;
  track.last_commit_end = header.last_commit_end;
  track.position = header.position;
  return track;
}

/// A segment that begins inside a transaction has the facts before that in the last one that does
/// not: whatever lies between belongs to the transaction.
PositionFacts facts_before(FileSystem& files, const std::string& directory,
                           const std::vector<KeptSegment>& segments) {
  const auto begin = std::find_if(segments.rbegin(), segments.rend(),
                                  [](const KeptSegment& segment) { return !segment.open; });
  PositionFacts facts;
  if (begin != segments.rbegin()) {
    RecordScan scan(files, directory);
    scan.open(begin->number);
    StreamTrack track = track_at(scan.segment().header);
    follow_records(scan, track, facts, segment_path(directory, begin->number));
  }
  return facts;
}

void warn_of_torn_tail(const RecordScan& scan, std::uint64_t torn, const StreamTrack& track,
                       const std::string& path) {
  log(LogLevel::Warn, "journal_tail_cut",
      "the last run ended while writing: unfinished bytes at the journal's end are removed; "
      "PostgreSQL sends them again, or the slot's position shows that they were acknowledged",
      {{"segment", path},
       {"bytes_cut", torn},
       {"bytes_kept", scan.place().offset},
       {"position", to_string(track.position)},
       {"reason", scan.problem()}});
}

/// The last segment, of which `scan` has found the end.
void make_end_durable(FileSystem& files, const std::string& directory, const RecordScan& scan,
                      const StreamTrack& track, const std::string& path) {
  const ProvenEnd end{scan.place(), scan.crc()};
  const std::uint64_t torn = scan.segment().file->size() - end.place.offset;
  if (torn > 0) {
    warn_of_torn_tail(scan, torn, track, path);
  }
  if (torn > 0 || load_proven_end(files, directory) != end) {
    renew_segment(files, directory, end);
  }
}

RecoveredJournal start_journal(FileSystem& files, const std::string& directory,
                               const Origin& origin) {
  RE_DMS_CHECK(origin.consistent_point.known());
  SegmentHeader header;
  header.number = 1;
  header.version = RE_DMS_VERSION;
  header.origin = origin;
  header.position = origin.consistent_point;
  header.last_commit_end = origin.consistent_point;
  SegmentFile segment = create_segment(files, directory, header);
  RecoveredJournal journal;
  journal.segments.push_back({1, header.position, false, segment.header_bytes});
  journal.file = std::move(segment.file);
  journal.crc = segment.crc;
  journal.track.position = journal.track.last_commit_end = header.position;
  return journal;
}

}  // namespace

RecoveredJournal recover_journal(FileSystem& files, const std::string& directory,
                                 const Origin& origin) {
  files.create_directories(directory);
  remove_unfinished(files, directory);
  const std::vector<std::uint64_t> numbers = list_segments(files, directory);
  if (numbers.empty()) {
    return start_journal(files, directory, origin);
  }
  RecoveredJournal journal;
  for (const std::uint64_t number : numbers) {
    const std::string path = segment_path(directory, number);
    const SegmentFile segment = open_segment(files, directory, number);
    check_same_origin(segment.header.origin, origin, path);
    join(journal.segments, segment, path);
  }
  // The oldest ones may begin inside a transaction: a release that was interrupted took the
  // segments before them. They are released with the next ones.
  if (std::ranges::all_of(journal.segments,
                          [](const KeptSegment& segment) { return segment.open; })) {
    refuse_hole(segment_path(directory, numbers.front()),
                "and all after it begin inside a transaction");
  }
  const std::string path = segment_path(directory, numbers.back());
  RecordScan scan(files, directory);
  scan.open(numbers.back());
  journal.facts = facts_before(files, directory, journal.segments);
  journal.track = track_at(scan.segment().header);
  follow_records(scan, journal.track, journal.facts, path);
  failpoint("recovery-sync-before");
  for (const std::uint64_t number : numbers) {
    files.open_append(segment_path(directory, number))->sync();
  }
  files.sync_directory(directory);
  failpoint("recovery-sync-after");
  make_end_durable(files, directory, scan, journal.track, path);
  journal.file = files.open_append(path);
  journal.crc = scan.crc();
  journal.segments.back().bytes = scan.place().offset;
  return journal;
}

}  // namespace re_dms
