#include "journal/testing/stream_sample.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "journal/segment_file.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

constexpr std::uint64_t kCommitTime = 820'000'000'000'000;  // µs since 2000: the end of 2025

std::string describe_message(std::string_view message) {
  switch (message[0]) {
    case 'B':
      return fmt::format("B{}", pgoutput::decode_begin(message).xid);
    case 'R':
      return fmt::format("R{}", pgoutput::decode_relation(message).oid);
    case 'I': {
      const pgoutput::Insert insert = pgoutput::decode_insert(message);
      return fmt::format("I{}:{}", insert.relation, insert.tuple.columns().next().text);
    }
    default:
      return {message[0]};
  }
}

std::string describe_record(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::Message:
      return describe_message(record.body);
    case RecordKind::Relation:
      return fmt::format("r{}", pgoutput::decode_relation(record.body).oid);
    case RecordKind::Catalog: {
      std::string text = "c";
      for (const CatalogTable& table : catalog_from_json(record.body)) {
        text += std::to_string(table.schema.oid);
      }
      return text;
    }
    default:
      return {static_cast<char>(record.kind)};
  }
}

std::string_view name_of(UnitKind kind) {
  switch (kind) {
    case UnitKind::Transaction:
      return "Transaction";
    case UnitKind::FirstPart:
      return "FirstPart";
    case UnitKind::NextPart:
      return "NextPart";
    case UnitKind::LastPart:
      return "LastPart";
    case UnitKind::Abort:
      return "Abort";
    case UnitKind::Idle:
      return "Idle";
    case UnitKind::Facts:
      return "Facts";
  }
  return "?";
}

}  // namespace

Origin sample_origin() {
  Origin origin;
  origin.system_identifier = "7300000000000000001";
  origin.timeline = 1;
  origin.database = "app";
  origin.slot = "re_dms";
  origin.publication = "re_dms";
  origin.server_version = 150018;
  origin.created = true;
  origin.consistent_point = kSampleStart;
  return origin;
}

JournalLimits sample_limits() {
  return {std::string(kSampleDirectory), 4096, 1ULL << 40, 0};
}

StreamSample& StreamSample::begin(std::uint32_t xid, Lsn commit_lsn) {
  std::string message = "B";
  append_be(message, commit_lsn.value);
  append_be(message, kCommitTime + xid);
  append_be(message, xid);
  block_.add(RecordKind::Message, message);
  return *this;
}

StreamSample& StreamSample::commit(Lsn commit_lsn) {
  std::string message("C\0", 2);
  append_be(message, commit_lsn.value);
  append_be(message, commit_lsn.value + 0x40);
  append_be(message, kCommitTime);
  block_.add(RecordKind::Message, message);
  block_.position = Lsn{commit_lsn.value + 0x40};
  return *this;
}

StreamSample& StreamSample::relation(Oid table) {
  std::string message = "R";
  append_be(message, table);
  message += std::string("public\0", 7) + fmt::format("t{}", table) + std::string("\0d", 2);
  append_be<std::uint16_t>(message, 1);
  message += std::string("\x01id\0", 4);
  append_be<std::uint32_t>(message, 25);
  append_be<std::uint32_t>(message, 0xFFFFFFFFU);
  block_.add(RecordKind::Message, message);
  return *this;
}

StreamSample& StreamSample::catalog(const std::vector<Oid>& tables) {
  std::vector<CatalogTable> entries;
  for (const Oid table : tables) {
    CatalogTable entry;
    entry.schema.oid = table;
    entry.schema.name = {"public", fmt::format("t{}", table)};
    entry.admitted = true;
    entries.push_back(std::move(entry));
  }
  block_.add(RecordKind::Catalog, catalog_to_json(entries));
  return *this;
}

StreamSample& StreamSample::insert(Oid table, std::string_view text) {
  std::string message = "I";
  append_be(message, table);
  message += 'N';
  append_be<std::uint16_t>(message, 1);
  message += 't';
  append_be(message, static_cast<std::uint32_t>(text.size()));
  message += text;
  block_.add(RecordKind::Message, message);
  return *this;
}

StreamSample& StreamSample::truncate(const std::vector<Oid>& tables) {
  std::string message = "T";
  append_be(message, static_cast<std::uint32_t>(tables.size()));
  message += '\0';
  for (const Oid table : tables) {
    append_be(message, table);
  }
  block_.add(RecordKind::Message, message);
  return *this;
}

StreamSample& StreamSample::logical_message(std::string_view content) {
  std::string message("M\0", 2);
  append_be<std::uint64_t>(message, 0x2000);
  message += std::string("re_dms\0", 7);
  append_be(message, static_cast<std::uint32_t>(content.size()));
  message += content;
  block_.add(RecordKind::Message, message);
  return *this;
}

StreamSample& StreamSample::idle(Lsn lsn) {
  std::string body;
  append_be(body, lsn.value);
  append_be<std::uint64_t>(body, 1'700'000'000'000'000);
  block_.add(RecordKind::Idle, body);
  block_.position = lsn;
  return *this;
}

StreamSample& StreamSample::abort() {
  block_.add(RecordKind::Abort, {});
  return *this;
}

JournalBlock StreamSample::take() {
  return std::exchange(block_, {});
}

Lsn nth_commit(std::uint32_t n) {
  return Lsn{kSampleStart.value + n * 0x100ULL};
}

Lsn nth_end(std::uint32_t n) {
  return Lsn{nth_commit(n).value + 0x40};
}

std::size_t nth_rows(std::uint32_t n) {
  return n % 7 == 0 ? 30 : n % 4;
}

JournalBlock nth_transaction(std::uint32_t n) {
  StreamSample sample;
  const Oid table = 16384 + n % 3;
  sample.begin(n, nth_commit(n)).catalog({table}).relation(table);
  for (std::size_t row = 0; row < nth_rows(n); ++row) {
    sample.insert(table, fmt::format("row-{}-{}", n, row));
  }
  sample.commit(nth_commit(n));
  return sample.take();
}

std::string describe(const JournalUnit& unit) {
  std::string text(name_of(unit.kind));
  for (RecordCursor records(unit.records); !records.at_end();) {
    text += " " + describe_record(records.next());
  }
  return text;
}

std::vector<std::string> read_units(FileSystem& files, Lsn from, ReaderLimits limits) {
  JournalReader reader(files, std::string(kSampleDirectory), nullptr, from, limits);
  std::vector<std::string> units;
  while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
    units.push_back(describe(*unit));
  }
  return units;
}

std::vector<std::string> read_transactions(FileSystem& files, Lsn from, ReaderLimits limits) {
  JournalReader reader(files, std::string(kSampleDirectory), nullptr, from, limits);
  std::vector<std::string> transactions;
  std::string open;
  while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
    for (RecordCursor records(unit->records); !records.at_end();) {
      const RecordView record = records.next();
      if (record.kind == RecordKind::Message) {
        open += (open.empty() ? "" : " ") + describe_message(record.body);
      }
    }
    if (unit->kind == UnitKind::Transaction || unit->kind == UnitKind::LastPart) {
      transactions.push_back(open);
    }
    if (unit->kind != UnitKind::FirstPart && unit->kind != UnitKind::NextPart) {
      open.clear();
    }
  }
  return transactions;
}

std::optional<Lsn> journal_begin(FileSystem& files) {
  const std::string directory(kSampleDirectory);
  for (const std::uint64_t number : list_segments(files, directory)) {
    const SegmentHeader header = open_segment(files, directory, number).header;
    if (!header.open) {
      return header.position;
    }
  }
  return std::nullopt;
}

void copy_journal(FileSystem& from, FileSystem& to) {
  const std::string directory(kSampleDirectory);
  to.create_directories(directory);
  for (const std::uint64_t number : list_segments(from, directory)) {
    const std::string path = segment_path(directory, number);
    const auto file = to.create(path);
    file->append(read_file(from, path));
    file->sync();
  }
  to.sync_directory(directory);
}

}  // namespace re_dms
