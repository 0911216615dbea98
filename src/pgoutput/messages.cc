#include "pgoutput/messages.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"

namespace re_dms::pgoutput {

namespace {

constexpr std::int64_t kPostgresEpochMicros = 946'684'800'000'000;  // 2000-01-01 in Unix time

/// Opens a message and checks its type byte.
ByteReader open(std::string_view bytes, char type, std::string_view what) {
  ByteReader reader(bytes, what);
  if (const auto found = static_cast<char>(reader.u8()); found != type) {
    reader.fail(fmt::format("has type byte '{}'", found));
  }
  return reader;
}

Lsn read_lsn(ByteReader& reader) {
  return Lsn{reader.u64()};
}

void skip_column(ByteReader& reader) {
  switch (static_cast<char>(reader.u8())) {
    case 'n':
    case 'u':
      return;
    case 't':
      reader.bytes(reader.u32());
      return;
    case 'b':
      reader.fail("holds a binary column, although text was asked for");
    default:
      reader.fail("holds a column of an unknown kind");
  }
}

/// Checks a whole tuple and returns a view of it.
TupleView read_tuple(ByteReader& reader, std::string_view bytes) {
  const std::size_t begin = reader.offset();
  const std::uint16_t count = reader.u16();
  for (std::uint16_t i = 0; i < count; ++i) {
    skip_column(reader);
  }
  return TupleView(bytes.substr(begin, reader.offset() - begin));
}

OldTuple old_kind_of(char mark) {
  return mark == 'K' ? OldTuple::Key : mark == 'O' ? OldTuple::Full : OldTuple::None;
}

OriginName decode_origin(std::string_view bytes) {
  ByteReader reader = open(bytes, 'O', "Origin message");
  OriginName origin;
  origin.origin_lsn = read_lsn(reader);
  origin.name = reader.text();
  reader.expect_end();
  return origin;
}

TypeName decode_type(std::string_view bytes) {
  ByteReader reader = open(bytes, 'Y', "Type message");
  TypeName type;
  type.oid = reader.u32();
  type.schema = reader.text();
  type.name = reader.text();
  reader.expect_end();
  return type;
}

ReplicaIdentity read_identity(ByteReader& reader) {
  const auto mark = static_cast<char>(reader.u8());
  if (mark != 'd' && mark != 'n' && mark != 'f' && mark != 'i') {
    reader.fail(fmt::format("has an unknown replica identity '{}'", mark));
  }
  return static_cast<ReplicaIdentity>(mark);
}

}  // namespace

Begin decode_begin(std::string_view bytes) {
  ByteReader reader = open(bytes, 'B', "Begin message");
  Begin begin;
  begin.commit_lsn = read_lsn(reader);
  begin.commit_time = from_postgres_time(reader.u64());
  begin.xid = reader.u32();
  reader.expect_end();
  return begin;
}

Commit decode_commit(std::string_view bytes) {
  ByteReader reader = open(bytes, 'C', "Commit message");
  reader.u8();  // flags, none defined
  Commit commit;
  commit.commit_lsn = read_lsn(reader);
  commit.end_lsn = read_lsn(reader);
  commit.commit_time = from_postgres_time(reader.u64());
  reader.expect_end();
  return commit;
}

Relation decode_relation(std::string_view bytes) {
  ByteReader reader = open(bytes, 'R', "Relation message");
  Relation relation;
  relation.oid = reader.u32();
  relation.name.schema = reader.text();
  if (relation.name.schema.empty()) {
    relation.name.schema = "pg_catalog";
  }
  relation.name.name = reader.text();
  relation.identity = read_identity(reader);
  const std::uint16_t count = reader.u16();
  for (std::uint16_t i = 0; i < count; ++i) {
    RelationColumn column;
    column.key = (reader.u8() & 1U) != 0;
    column.name = reader.text();
    column.type_oid = reader.u32();
    column.typmod = static_cast<std::int32_t>(reader.u32());
    relation.columns.push_back(std::move(column));
  }
  reader.expect_end();
  return relation;
}

Insert decode_insert(std::string_view bytes) {
  ByteReader reader = open(bytes, 'I', "Insert message");
  Insert insert;
  insert.relation = reader.u32();
  if (static_cast<char>(reader.u8()) != 'N') {
    reader.fail("has no new tuple");
  }
  insert.tuple = read_tuple(reader, bytes);
  reader.expect_end();
  return insert;
}

Update decode_update(std::string_view bytes) {
  ByteReader reader = open(bytes, 'U', "Update message");
  Update update;
  update.relation = reader.u32();
  auto mark = static_cast<char>(reader.u8());
  update.old_kind = old_kind_of(mark);
  if (update.old_kind != OldTuple::None) {
    update.old_tuple = read_tuple(reader, bytes);
    mark = static_cast<char>(reader.u8());
  }
  if (mark != 'N') {
    reader.fail("has no new tuple");
  }
  update.tuple = read_tuple(reader, bytes);
  reader.expect_end();
  return update;
}

Delete decode_delete(std::string_view bytes) {
  ByteReader reader = open(bytes, 'D', "Delete message");
  Delete change;
  change.relation = reader.u32();
  change.old_kind = old_kind_of(static_cast<char>(reader.u8()));
  if (change.old_kind == OldTuple::None) {
    reader.fail("has no old tuple");
  }
  change.old_tuple = read_tuple(reader, bytes);
  reader.expect_end();
  return change;
}

Truncate decode_truncate(std::string_view bytes) {
  ByteReader reader = open(bytes, 'T', "Truncate message");
  const std::uint32_t count = reader.u32();
  const std::uint8_t flags = reader.u8();
  if (reader.remaining() != std::size_t{count} * sizeof(Oid)) {
    reader.fail(fmt::format("names {} tables but has another length", count));
  }
  Truncate truncate{(flags & 1U) != 0, (flags & 2U) != 0, {}};
  for (std::uint32_t i = 0; i < count; ++i) {
    truncate.relations.push_back(reader.u32());
  }
  return truncate;
}

LogicalMessage decode_logical_message(std::string_view bytes) {
  ByteReader reader = open(bytes, 'M', "logical message");
  LogicalMessage message;
  message.transactional = (reader.u8() & 1U) != 0;
  message.lsn = read_lsn(reader);
  message.prefix = reader.text();
  message.content = reader.bytes(reader.u32());
  reader.expect_end();
  return message;
}

Oid row_relation(std::string_view bytes) {
  if (bytes.size() < 5) {
    ByteReader(bytes, "a row message").fail("is too short to name a table");
  }
  return load_be<std::uint32_t>(bytes.data() + 1);
}

Message decode(std::string_view bytes) {
  if (bytes.empty()) {
    throw Error(ErrorKind::Fatal, "an empty message came from the slot");
  }
  switch (bytes[0]) {
    case 'B':
      return decode_begin(bytes);
    case 'C':
      return decode_commit(bytes);
    case 'O':
      return decode_origin(bytes);
    case 'R':
      return decode_relation(bytes);
    case 'Y':
      return decode_type(bytes);
    case 'I':
      return decode_insert(bytes);
    case 'U':
      return decode_update(bytes);
    case 'D':
      return decode_delete(bytes);
    case 'T':
      return decode_truncate(bytes);
    case 'M':
      return decode_logical_message(bytes);
    default:
      throw Error(
          ErrorKind::Fatal,
          fmt::format("a message of type 0x{:02x} came, which protocol version 1 does not have",
                      static_cast<unsigned char>(bytes[0])));
  }
}

SystemTime from_postgres_time(std::uint64_t micros) {
  return SystemTime(std::chrono::microseconds(
      static_cast<std::int64_t>(micros + static_cast<std::uint64_t>(kPostgresEpochMicros))));
}

std::uint64_t to_postgres_time(SystemTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) -
         static_cast<std::uint64_t>(kPostgresEpochMicros);
}

}  // namespace re_dms::pgoutput
