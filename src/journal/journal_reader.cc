#include "journal/journal_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "journal/record_scan.h"
#include "journal/segment_file.h"
#include "journal/stream_track.h"
#include "observe/advice.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kPatienceMax = std::chrono::hours(24);

}  // namespace

struct JournalReader::State {
  State(FileSystem& files, std::string journal, const JournalTail* followed, ReaderLimits bounds)
      : directory(std::move(journal)),
        tail(followed),
        limits(bounds),
        claim(followed),
        scan(files, directory) {}

  void start(FileSystem& files, Lsn from);
  std::optional<JournalUnit> advance();
  bool extend();
  void open_next();
  std::optional<UnitKind> classify(const RecordView& record, bool was_open);
  [[noreturn]] void refuse(std::string_view problem) const;

  const std::string directory;
  const JournalTail* const tail;
  const ReaderLimits limits;
  JournalTail::Claim claim;
  RecordScan scan;
  StreamTrack track;
  std::uint64_t end = 0;   ///< bytes of the segment that may be read
  std::uint64_t last = 0;  ///< without a tail: the last segment there is
  bool handed_out = false;
  JournalPlace behind_unit;
  bool in_parts = false;  ///< parts of the open transaction were handed out
  bool at_torn_tail = false;
  Lsn begin_at;
};

void JournalReader::State::start(FileSystem& files, Lsn from) {
  const std::vector<std::uint64_t> numbers = list_segments(files, directory);
  if (numbers.empty()) {
    throw Error(ErrorKind::Fatal, fmt::format("there is no journal in {}", directory),
                "Check journal.directory");
  }
  last = numbers.back();
  Lsn begin;
  std::optional<std::uint64_t> first;
  for (const std::uint64_t number : std::views::reverse(numbers)) {
    scan.open(number);
    if (scan.segment().header.open) {
      continue;
    }
    begin = scan.segment().header.position;
    if (begin <= from) {
      first = number;
    }
    // What the catalog said at this very position may stand at the end of the segment before.
    if (begin < from) {
      break;
    }
  }
  if (first) {
    scan.open(*first);
    const SegmentHeader& header = scan.segment().header;
    claim.move_to(*first);
    track.last_commit_end = header.last_commit_end;
    track.position = begin_at = header.position;
    end = scan.place().offset;
    behind_unit = scan.place();
    return;
  }
  throw Error(ErrorKind::Fatal,
              fmt::format("the journal in {} begins at {}, after {} where reading must start",
                          directory, begin, from),
              or_begin_anew("The changes in between are no longer here. If the warehouse was "
                            "restored from an older state, or the journal directory replaced, put "
                            "the right one back. "))
      .needing_a_person();
}

/// Goes on to the next unit, as far as the end allows.
std::optional<JournalUnit> JournalReader::State::advance() {
  while (true) {
    switch (scan.next(end)) {
      case RecordScan::Step::Record: {
        const bool was_open = track.open;
        const RecordView record = scan.record();
        try {
          track.note(record);
        } catch (const Error& error) {
          refuse(error.message());
        }
        if (const auto kind = classify(record, was_open)) {
          handed_out = true;
          behind_unit = scan.place();
          return JournalUnit{*kind, scan.held()};
        }
        break;
      }
      case RecordScan::Step::End:
        if (!extend()) {
          return std::nullopt;
        }
        break;
      case RecordScan::Step::Bad:
        if (tail == nullptr && scan.place().segment == last) {
          at_torn_tail = true;
          return std::nullopt;
        }
        refuse(scan.problem());
    }
  }
}

/// Moves the end forward, into the next segment where this one is read; false when there is no
/// more.
bool JournalReader::State::extend() {
  const JournalPlace here = scan.place();
  const JournalPlace durable =
      tail != nullptr ? tail->place() : JournalPlace{last, scan.segment().file->size()};
  if (durable.segment < here.segment) {
    return false;
  }
  // A segment that has a successor never grows again.
  end = durable.segment == here.segment ? durable.offset : scan.segment().file->size();
  if (end > here.offset) {
    return true;
  }
  if (durable.segment == here.segment) {
    return false;
  }
  open_next();
  return true;
}

void JournalReader::State::open_next() {
  const JournalPlace here = scan.place();
  const std::uint32_t crc = scan.crc();
  scan.open(here.segment + 1);
  claim.move_to(here.segment + 1);
  const SegmentHeader& header = scan.segment().header;
  if (header.previous_bytes != here.offset || header.previous_crc != crc) {
    refuse(
        fmt::format("segment {:016x} ended at byte {}, but this one follows a segment of {} bytes",
                    here.segment, here.offset, header.previous_bytes));
  }
  if (header.open != track.open || header.last_commit_end != track.last_commit_end) {
    refuse("the segment's header contradicts the records before it");
  }
  end = scan.place().offset;
}

/// What the record just read completes; nothing when its end is still to come.
std::optional<UnitKind> JournalReader::State::classify(const RecordView& record, bool was_open) {
  if (record.kind == RecordKind::Idle) {
    return UnitKind::Idle;
  }
  if (record.kind == RecordKind::Abort) {
    if (std::exchange(in_parts, false)) {
      scan.drop_all_but_last();
      return UnitKind::Abort;
    }
    scan.drop();
    return std::nullopt;
  }
  if (!was_open && !track.open) {
    return UnitKind::Facts;
  }
  if (!track.open) {
    return std::exchange(in_parts, false) ? UnitKind::LastPart : UnitKind::Transaction;
  }
  if (scan.held().size() > limits.transaction_bytes) {
    return std::exchange(in_parts, true) ? UnitKind::NextPart : UnitKind::FirstPart;
  }
  return std::nullopt;
}

void JournalReader::State::refuse(std::string_view problem) const {
  const JournalPlace here = scan.place();
  throw Error(
      ErrorKind::Fatal,
      fmt::format("journal segment {} cannot be read at byte {}, after {}: {}",
                  segment_path(directory, here.segment), here.offset, track.position, problem),
      or_begin_anew("What comes before that byte is intact; what follows cannot be trusted. "
                    "`re_dms journal inspect` shows the damage. Restore the file, if there is a "
                    "copy of it. "))
      .needing_a_person();
}

JournalReader::JournalReader(FileSystem& files, std::string directory, const JournalTail* tail,
                             Lsn from, ReaderLimits limits)
    : state_(std::make_unique<State>(files, std::move(directory), tail, limits)) {
  state_->start(files, from);
}

JournalReader::~JournalReader() = default;

Lsn JournalReader::begin() const {
  return state_->begin_at;
}

JournalPlace JournalReader::place() const {
  return state_->behind_unit;
}

std::optional<JournalUnit> JournalReader::next(std::chrono::milliseconds patience,
                                               const std::stop_token& stop) {
  State& state = *state_;
  if (std::exchange(state.handed_out, false)) {
    state.scan.drop();
  }
  std::optional<SteadyTime> deadline;  // asked for only when there is something to wait for
  while (!stop.stop_requested() && !state.at_torn_tail) {
    if (auto unit = state.advance()) {
      return unit;
    }
    if (state.tail == nullptr) {
      return std::nullopt;
    }
    const SteadyTime now = real_clock().steady();
    deadline = deadline.value_or(now + std::min(patience, kPatienceMax));
    if (now >= *deadline) {
      return std::nullopt;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now);
    state.tail->wait_beyond(state.scan.place(), left, stop);
  }
  return std::nullopt;
}

}  // namespace re_dms
