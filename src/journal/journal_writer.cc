#include "journal/journal_writer.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "journal/disk_reserve.h"
#include "journal/kept_segments.h"
#include "journal/position_facts.h"
#include "journal/proven_end.h"
#include "journal/record_scan.h"
#include "journal/recovery.h"
#include "journal/segment_file.h"
#include "journal/stream_track.h"
#include "journal/table_facts.h"
#include "pgoutput/messages.h"

namespace re_dms {

struct JournalWriter::State {
  State(FileSystem& file_system, JournalLimits bounds, Origin source)
      : files(file_system),
        limits(std::move(bounds)),
        origin(std::move(source)),
        reserve(files, limits.directory, limits.reserve_bytes, limits.spilled_bytes),
        segments(files, limits.directory) {}

  void recover();
  void append(JournalBlock& block);
  void note(const RecordView& record);
  void write_facts(JournalBlock block);
  bool must_rotate(std::uint64_t size) const;
  void rotate();
  void seal(char* record, std::size_t size);
  void write(std::string_view records);
  void sync_file();
  void sync();
  void close();

  FileSystem& files;
  const JournalLimits limits;
  const Origin origin;
  DiskReserve reserve;
  KeptSegments segments;
  JournalTail tail;

  // The journal's thread only.
  std::unique_ptr<File> file;
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  bool begun_open = false;  // the segment begins inside a transaction
  std::uint32_t crc = 0;
  StreamTrack track;
  TableFacts facts;
  PositionFacts position_facts;
  bool usable = true;
  bool unsynced = false;
  Lsn durable_position;
  Lsn durable_commit_end;
};

void JournalWriter::State::recover() {
  RecoveredJournal found = recover_journal(files, limits.directory, origin);
  file = std::move(found.file);
  crc = found.crc;
  track = found.track;
  position_facts = std::move(found.facts);
  number = found.segments.back().number;
  size = found.segments.back().bytes;
  begun_open = found.segments.back().open;
  for (const KeptSegment& segment : found.segments) {
    segments.add(segment);
  }
  if (track.open) {
    JournalBlock block;
    block.add(RecordKind::Abort, {});
    failpoint("recovery-abort-before");
    append(block);
    failpoint("recovery-abort-after");
  }
  // The last run may have ended between a record and the segment that it calls for.
  if (must_rotate(size)) {
    rotate();
  }
  unsynced = true;
  sync();
}

void JournalWriter::State::append(JournalBlock& block) {
  char* const records = block.bytes.data();
  const std::size_t total = block.bytes.size();
  std::size_t written = 0;
  std::size_t at = 0;
  const auto write_run = [&] {
    write({records + written, at - written});
    written = at;
  };
  while (at < total) {
    RE_DMS_CHECK(total - at >= kRecordHeaderBytes);
    const std::size_t whole = kRecordHeaderBytes + load_le<std::uint32_t>(records + at);
    RE_DMS_CHECK(whole <= total - at);
    const RecordView record{static_cast<RecordKind>(records[at + 8]),
                            {records + at + kRecordHeaderBytes, whole - kRecordHeaderBytes}};
    if (record.kind == RecordKind::Message && !facts.written_for(record.body)) {
      write_run();
      write_facts(facts.repeat_for(record.body));
    }
    seal(records + at, whole);
    note(record);
    at += whole;
    if (must_rotate(size + at - written)) {
      write_run();
      rotate();
    }
  }
  write_run();
}

/// Asked behind each record. Readers can only start between transactions, so segments begin there
/// where possible, but not between a position and what the catalog said at it; inside one only when
/// the segment is a quarter too large already. Such a segment ends with its transaction: what lies
/// before can be released only once a segment begins behind it, and a full journal waits for that
/// release before it takes another record.
bool JournalWriter::State::must_rotate(std::uint64_t so_far) const {
  if (so_far < limits.segment_bytes && !begun_open) [[likely]] {
    return false;
  }
  if (!track.open && !begun_open) {
    return position_facts.empty();
  }
  return !track.open || so_far >= limits.segment_bytes + limits.segment_bytes / 4;
}

/// Not followed as part of the stream: readers ignore facts that they already know.
void JournalWriter::State::write_facts(JournalBlock block) {
  for (std::size_t at = 0; at < block.bytes.size();) {
    char* const record = block.bytes.data() + at;
    const std::size_t whole = kRecordHeaderBytes + load_le<std::uint32_t>(record);
    seal(record, whole);
    at += whole;
  }
  write(block.bytes);
}

void JournalWriter::State::note(const RecordView& record) {
  track.note(record);
  if (record.kind == RecordKind::Message) {
    if (record.body[0] == 'R') {
      facts.note_relation(record.body);
    }
  } else if (record.kind == RecordKind::Catalog) {
    facts.note_catalog(record.body);
  } else if (record.kind == RecordKind::Abort) {
    failpoint("journal-abort");
    facts.forget_written();
  } else if (record.kind == RecordKind::Idle) {
    failpoint("journal-idle");
  }
  if (!track.open) {
    position_facts.note(record, track);
  }
}

void JournalWriter::State::seal(char* record, std::size_t whole) {
  crc = record_crc(crc, {record, whole});
  store_le(record + 4, crc);
}

void JournalWriter::State::write(std::string_view records) {
  if (records.empty()) {
    return;
  }
  file->append(records);
  size += records.size();
  segments.grow(records.size());
  unsynced = true;
}

void JournalWriter::State::rotate() {
  // Durable before its successor exists: only the last segment can have a torn tail.
  sync_file();
  SegmentHeader header;
  header.number = number + 1;
  header.version = RE_DMS_VERSION;
  header.origin = origin;
  header.position = track.position;
  header.last_commit_end = track.last_commit_end;
  header.open = track.open;
  header.previous_bytes = size;
  header.previous_crc = crc;
  SegmentFile next = create_segment(files, limits.directory, header);
  segments.add({header.number, header.position, header.open, next.header_bytes});
  file = std::move(next.file);
  number = header.number;
  size = next.header_bytes;
  begun_open = header.open;
  crc = next.crc;
  facts.forget_written();
  // After an aborted transaction: the facts before it are in a segment that may be deleted.
  if (!track.open && !position_facts.empty()) {
    write_facts(position_facts.facts());
  }
}

void JournalWriter::State::sync_file() {
  failpoint("journal-sync-before");
  file->sync();
  failpoint("journal-sync-after");
}

void JournalWriter::State::close() {
  sync();
  store_proven_end(files, limits.directory, {{number, size}, crc});
}

void JournalWriter::State::sync() {
  if (!unsynced) {
    return;
  }
  sync_file();
  unsynced = false;
  durable_position = track.position;
  durable_commit_end = track.last_commit_end;
  tail.publish({number, size});
}

JournalWriter::JournalWriter(FileSystem& files, JournalLimits limits, const Origin& origin)
    : state_(std::make_unique<State>(files, std::move(limits), origin)) {
  state_->recover();
}

JournalWriter::~JournalWriter() = default;

void JournalWriter::append(JournalBlock& block) {
  State& state = *state_;
  RE_DMS_CHECK(std::exchange(state.usable, false));
  failpoint("journal-append-before");
  state.reserve.before_write(block.bytes.size(), state.track);
  state.append(block);
  failpoint("journal-append-after");
  state.usable = true;
}

void JournalWriter::sync() {
  RE_DMS_CHECK(std::exchange(state_->usable, false));
  state_->sync();
  state_->usable = true;
}

void JournalWriter::close() {
  RE_DMS_CHECK(std::exchange(state_->usable, false));
  state_->close();
}

Lsn JournalWriter::position() const {
  return state_->durable_position;
}

Lsn JournalWriter::last_commit_end() const {
  return state_->durable_commit_end;
}

void JournalWriter::release_below(Lsn position) {
  if (state_->segments.release_below(position, state_->tail.first_claimed())) {
    state_->reserve.ask();
  }
}

bool JournalWriter::would_release_below(Lsn position) const {
  return state_->segments.would_release_below(position, state_->tail.first_claimed());
}

Lsn JournalWriter::begin() const {
  return state_->segments.begin();
}

SteadyTime JournalWriter::oldest_since() const {
  return state_->segments.oldest_since();
}

std::uint64_t JournalWriter::bytes() const {
  return state_->segments.bytes();
}

std::uint64_t JournalWriter::bytes_behind(JournalPlace place) const {
  return state_->segments.bytes_behind(place.segment, place.offset);
}

bool JournalWriter::filling() const {
  return state_->segments.bytes() >= state_->limits.max_bytes / 4 * 3;
}

bool JournalWriter::full() const {
  const KeptSegments& segments = state_->segments;
  return (segments.bytes() >= state_->limits.max_bytes && segments.several()) ||
         state_->reserve.low();
}

bool JournalWriter::disk_low() const {
  return state_->reserve.low();
}

const JournalTail& JournalWriter::tail() const {
  return state_->tail;
}

}  // namespace re_dms
