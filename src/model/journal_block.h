// What the source hands to the journal: whole buffers of records, in the layout they have on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "model/lsn.h"

namespace re_dms {

/// What a journal record holds.
enum class RecordKind : char {
  Message = 'm',  ///< a raw pgoutput message, first byte its type
  Idle = 'k',  ///< a keepalive position with nothing open: u64 LSN, u64 µs since 1970, big-endian
  Abort =
      'a',  ///< the transaction open at this place will be sent again from its BEGIN; empty body
  Catalog = 'c',   ///< what the catalog says of tables, as JSON (schema/catalog_json.h)
  Relation = 'r',  ///< repeated at the start of a segment: the raw Relation message in force
};

/// On disk: u32 length of the body, u32 CRC, u8 kind, body; little-endian (docs/journal_format.md).
inline constexpr std::size_t kRecordHeaderBytes = 9;

struct RecordView {
  RecordKind kind = RecordKind::Message;
  std::string_view body;
};

/// Records back to back, CRC fields zero until the journal fills them.
struct JournalBlock {
  std::string bytes;
  std::uint64_t messages = 0;
  std::uint64_t rows = 0;  ///< those of the messages that insert, update or delete a row
  /// Position reached by the last complete thing in here: end_lsn of the last COMMIT, or the last
  /// idle position; unknown when the block ends neither.
  Lsn position;

  bool empty() const { return bytes.empty(); }

  void add(RecordKind kind, std::string_view body) {
    char header[kRecordHeaderBytes];
    store_le(header, static_cast<std::uint32_t>(body.size()));
    store_le(header + 4, std::uint32_t{0});
    header[8] = static_cast<char>(kind);
    bytes.append(header, sizeof(header));
    bytes.append(body);
  }
};

}  // namespace re_dms
