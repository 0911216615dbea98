// Reads the journal from a position on, following its durable end.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/file_system.h"
#include "journal/journal_tail.h"
#include "model/journal_unit.h"
#include "model/lsn.h"

namespace re_dms {

struct ReaderLimits {
  /// A transaction whose records exceed this before its end is seen is handed out in parts.
  std::size_t transaction_bytes = 16U << 20;
};

/// Owned by one thread. Every CRC is checked again on reading. With a tail, the segment it stands
/// in and those after it are not deleted while it lives.
class JournalReader {
 public:
  /// Starts at the last segment that begins between transactions at or below `from`, so that units
  /// before `from` come too: the caller skips transactions with commit_lsn < from but heeds their
  /// catalog and relation records. Throws Fatal when the journal begins after `from`: a hole.
  /// `tail` null: reads what is on disk to its valid end, for replay and inspection.
  JournalReader(FileSystem& files, std::string directory, const JournalTail* tail, Lsn from,
                ReaderLimits limits = {});
  ~JournalReader();

  /// Where the segment begins that it started at: everything it hands out stands at or behind it.
  Lsn begin() const;

  /// Behind the last unit handed out. Readers of one journal have handed out the same units since
  /// they stood at the same place.
  JournalPlace place() const;

  /// The next unit; empty when `patience` passed without one, on stop, or (tail null) at the end.
  /// Which units there are depends on the journal's bytes alone, not on when they are read. Throws
  /// Fatal with segment, offset and LSN on a bad record.
  std::optional<JournalUnit> next(std::chrono::milliseconds patience, const std::stop_token& stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
