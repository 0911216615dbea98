// What the catalog said, between transactions, at the position that the stream has reached. A
// reader that starts at this position needs it, so it must not stay behind in a segment that ends
// there.
#pragma once

#include "journal/stream_track.h"
#include "model/journal_block.h"

namespace re_dms {

class PositionFacts {
 public:
  /// Follows each record that `track` has just noted and that leaves no transaction open.
  void note(const RecordView& record, const StreamTrack& track) {
    if (track.position != position_) {
      position_ = track.position;
      facts_ = {};
    }
    if (record.kind == RecordKind::Catalog) {
      facts_.add(record.kind, record.body);
    }
  }

  bool empty() const { return facts_.empty(); }

  /// The records, in order.
  const JournalBlock& facts() const { return facts_; }

 private:
  Lsn position_;
  JournalBlock facts_;
};

}  // namespace re_dms
