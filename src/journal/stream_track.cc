#include "journal/stream_track.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "pgoutput/messages.h"

namespace re_dms {

namespace {

[[noreturn]] void contradiction(std::string problem) {
  throw Error(ErrorKind::Fatal, fmt::format("the stream contradicts itself: {}", problem),
              "This is a bug of re_dms or a damaged journal; keep the journal directory and report "
              "it with the output of 're_dms journal inspect'");
}

}  // namespace

Lsn idle_position(std::string_view body) {
  ByteReader reader(body, "an idle record");
  const Lsn position{reader.u64()};
  reader.u64();
  reader.expect_end();
  return position;
}

void StreamTrack::note(const RecordView& record) {
  open_bytes += kRecordHeaderBytes + record.body.size();
  switch (record.kind) {
    case RecordKind::Message:
      note_message(record.body);
      return;
    case RecordKind::Idle:
      if (open) {
        contradiction("an idle position inside a transaction");
      }
      position = std::max(position, idle_position(record.body));
      return;
    case RecordKind::Abort:
      open = false;
      return;
    case RecordKind::Catalog:
    case RecordKind::Relation:
      return;
  }
  contradiction(fmt::format("a record of kind 0x{:02x}, which this version does not know",
                            static_cast<unsigned char>(record.kind)));
}

void StreamTrack::note_message(std::string_view message) {
  switch (message.empty() ? '\0' : message[0]) {
    case 'I':
    case 'U':
    case 'D':
    case 'T':
      if (!open) {
        contradiction(fmt::format("a row message outside a transaction after {}", position));
      }
      return;
    case 'B':
      begin(message);
      return;
    case 'C':
      commit(message);
      return;
    case 'O':
    case 'R':
    case 'Y':
    case 'M':
      return;
    default:
      contradiction("a message of a type that protocol version 1 does not have");
  }
}

void StreamTrack::begin(std::string_view message) {
  const pgoutput::Begin found = pgoutput::decode_begin(message);
  if (open) {
    contradiction(fmt::format("transaction {} begins inside transaction {}", found.xid, xid));
  }
  // Transactions come in the order of their commits; one that came before would be loaded twice.
  if (found.commit_lsn < last_commit_end) {
    contradiction(fmt::format("transaction {} with commit LSN {} comes after position {}",
                              found.xid, found.commit_lsn, last_commit_end));
  }
  open = true;
  xid = found.xid;
  commit_lsn = found.commit_lsn;
  open_bytes = kRecordHeaderBytes + message.size();
}

void StreamTrack::commit(std::string_view message) {
  const pgoutput::Commit found = pgoutput::decode_commit(message);
  if (!open) {
    contradiction(fmt::format("a commit at {} without its begin", found.commit_lsn));
  }
  if (commit_lsn.known() && found.commit_lsn != commit_lsn) {
    contradiction(fmt::format("transaction {} announced commit LSN {} and commits at {}", xid,
                              commit_lsn, found.commit_lsn));
  }
  if (found.end_lsn <= found.commit_lsn) {
    contradiction(
        fmt::format("a commit record at {} that ends at {}", found.commit_lsn, found.end_lsn));
  }
  open = false;
  last_commit_end = found.end_lsn;
  position = std::max(position, found.end_lsn);
}

}  // namespace re_dms
