// Feeds bytes to the journal's readers: as a segment file, and as records with right CRCs, which
// random bytes would never have.
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "journal/inspect.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "journal/record_scan.h"
#include "journal/segment_file.h"
#include "observe/log.h"

namespace {

using namespace re_dms;  // NOLINT(google-build-using-namespace): nothing else lives here

constexpr std::string_view kDirectory = "/journal";

/// Reads everything; an Error is an answer, anything else a finding. Gives the bytes of all units.
std::string read_all(FileSystem& files) {
  std::string read;
  try {
    JournalReader reader(files, std::string(kDirectory), nullptr,
                         Lsn{std::numeric_limits<std::uint64_t>::max()}, {512});
    while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
      for (RecordCursor records(unit->records); !records.at_end();) {
        read += records.next().body;
      }
    }
  } catch (const Error& error) {
    read += error.message();
  }
  return read;
}

void read_as_segment(std::string_view bytes) {
  FaultyFileSystem files;
  files.put(segment_path(kDirectory, 1), bytes);
  if (read_all(files) != read_all(files)) {
    std::abort();  // units depend on the bytes alone
  }
  std::ostringstream report;
  inspect_journal(files, std::string(kDirectory), report, bytes.size() % 2 == 0);
}

/// Records as the input lays them out: kind, u16 length of the body, body.
JournalBlock records_from(std::string_view bytes) {
  JournalBlock block;
  while (bytes.size() >= 3) {
    const std::size_t size = load_le<std::uint16_t>(bytes.data() + 1);
    block.add(static_cast<RecordKind>(bytes[0]), bytes.substr(3, size));
    bytes.remove_prefix(std::min(bytes.size(), 3 + size));
  }
  return block;
}

std::string segment_of(const JournalBlock& block) {
  SegmentHeader header;
  header.number = 1;
  std::string segment = encode_header(header);
  auto crc = load_le<std::uint32_t>(segment.data() + segment.size() - 4);
  for (std::size_t at = 0; at < block.bytes.size();) {
    std::string record = block.bytes.substr(
        at, kRecordHeaderBytes + load_le<std::uint32_t>(block.bytes.data() + at));
    crc = record_crc(crc, record);
    store_le(record.data() + 4, crc);
    segment += record;
    at += record.size();
  }
  return segment;
}

/// The bytes of all committed transactions, from `begin` on; attempts that were cut off are no part
/// of it, as a reader may begin behind them.
std::string transactions(FileSystem& files, Lsn begin) {
  std::string committed;
  std::string open;
  try {
    JournalReader reader(files, std::string(kDirectory), nullptr, begin, {512});
    while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
      open += unit->kind == UnitKind::Facts ? "" : unit->records;
      if (unit->kind == UnitKind::Transaction || unit->kind == UnitKind::LastPart) {
        committed += open;
      }
      if (unit->kind != UnitKind::FirstPart && unit->kind != UnitKind::NextPart) {
        open.clear();
      }
    }
  } catch (const Error& error) {
    committed += error.message();
  }
  return committed;
}

void write_and_read(JournalBlock block) {
  FaultyFileSystem files;
  Origin origin;
  origin.consistent_point = Lsn{1};
  JournalLimits limits{std::string(kDirectory), 400, 1U << 30, 0};
  try {
    JournalWriter writer(files, limits, origin);
    writer.append(block);
    writer.sync();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch)
    // A stream that contradicts itself is refused; what was written before stays readable.
  }
  const std::string before = transactions(files, origin.consistent_point);
  try {
    const JournalWriter writer(files, limits, origin);
  } catch (const Error&) {
    std::abort();  // whatever was written, a restart gets along with it
  }
  if (transactions(files, origin.consistent_point) != before) {
    std::abort();  // a restart neither adds nor takes one
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  configure_log(LogFormat::Text, LogLevel::Error);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_segment(bytes);
  const JournalBlock block = records_from(bytes);
  read_as_segment(segment_of(block));
  write_and_read(block);
  return 0;
}
