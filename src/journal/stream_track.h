// What the records up to a place of the journal say: whether a transaction is open, and how far the
// stream is. Writer, recovery, reader and inspection follow the same rules.
#pragma once

#include <cstdint>

#include "model/journal_block.h"
#include "model/lsn.h"

namespace re_dms {

struct StreamTrack {
  bool open = false;      ///< between a Begin and its Commit or Abort
  std::uint32_t xid = 0;  ///< of the open transaction; 0 when its Begin was not followed here
  Lsn commit_lsn;         ///< of the open transaction; unknown likewise
  std::uint64_t open_bytes = 0;  ///< records of the open transaction so far
  Lsn last_commit_end;
  Lsn position;  ///< the larger of last_commit_end and the last idle position

  /// Follows one record. Throws Fatal when it contradicts those before it: a row outside a
  /// transaction, a Begin inside one, a transaction that came before, an unknown kind.
  void note(const RecordView& record);

 private:
  void note_message(std::string_view message);
  void begin(std::string_view message);
  void commit(std::string_view message);
};

/// The position of an Idle record. Throws Fatal when the body is not one.
Lsn idle_position(std::string_view body);

}  // namespace re_dms
