// What a reader takes from the journal at a time: whole transactions where they are small, parts of
// them where they are large, and what stands between transactions.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "model/journal_block.h"
#include "model/lsn.h"

namespace re_dms {

enum class UnitKind {
  Transaction,  ///< records from Begin to Commit, complete and committed
  FirstPart,    ///< the beginning of a large transaction whose end is not known yet; starts with
                ///< Begin
  NextPart,     ///< more of it
  LastPart,     ///< the rest of it; ends with its Commit
  Abort,        ///< the large transaction being read was cut off: its parts never happened
  Idle,         ///< one Idle record
  Facts,        ///< Catalog and Relation records between transactions
};

/// Aborted transactions that were not handed out yet are dropped by the reader and never seen.
/// Catalog and Relation records may also stand inside a transaction, each before the first row
/// message that needs it.
struct JournalUnit {
  UnitKind kind = UnitKind::Facts;
  std::string_view records;  ///< whole records back to back; valid until the reader's next call
};

/// Walks records whose lengths were checked before.
class RecordCursor {
 public:
  explicit RecordCursor(std::string_view records) : left_(records) {}

  bool at_end() const { return left_.empty(); }

  RecordView next() {
    const auto size = load_le<std::uint32_t>(left_.data());
    const RecordView record{static_cast<RecordKind>(left_[8]),
                            left_.substr(kRecordHeaderBytes, size)};
    left_.remove_prefix(kRecordHeaderBytes + size);
    return record;
  }

 private:
  std::string_view left_;
};

}  // namespace re_dms
