// From pgoutput messages to journal blocks: records in stream order, the place of each
// transaction's end, and the tables whose catalog facts have to stand before their Relation
// message. No I/O.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/journal_block.h"
#include "model/lsn.h"
#include "model/table_schema.h"

namespace re_dms {

/// Messages go in as they came, blocks come out at any message. Used by one thread.
class BlockMaker {
 public:
  /// `position` is where the journal ends: idle positions at or below it say nothing new.
  explicit BlockMaker(Lsn position) : position_(position) {}

  /// What a message was, as far as the reader of the stream needs to know.
  enum class Step { Inside, Committed };

  /// Adds a message, or drops it: logical messages that are not ours, and those outside of
  /// transactions, which the journal has no place for. Throws Fatal on a message that protocol
  /// version 1 does not have or that is out of place.
  Step add(std::string_view message) {
    switch (message.empty() ? '\0' : message.front()) {
      case 'I':
      case 'U':
      case 'D':
        append(message);
        ++block_.rows;
        return Step::Inside;
      case 'T':
      case 'Y':
      case 'O':
        append(message);
        return Step::Inside;
      default:
        return add_rare(message);
    }
  }

  /// Adds an idle position if it is ahead of everything so far; outside of transactions only.
  /// True when it was added.
  bool add_idle(Lsn lsn, SystemTime now);

  bool transaction_open() const { return open_; }

  /// End of the last transaction or idle position that went in.
  Lsn position() const { return position_; }

  /// End of the last transaction that went in; unknown before the first.
  Lsn commit_end() const { return commit_end_; }

  std::size_t bytes() const { return block_.bytes.size(); }

  bool empty() const { return block_.empty(); }

  /// Tables whose Relation messages wait for facts, each once.
  std::vector<Oid> tables_wanted() const;

  /// The transactions those Relation messages stand in, each once.
  std::vector<std::uint32_t> transactions_wanted() const;

  /// The block so far, with a Catalog record before each Relation message, which holds what
  /// `catalog` says of its table (nothing if it says nothing). The next block begins empty.
  JournalBlock take(const std::vector<CatalogTable>& catalog);

 private:
  struct RelationPlace {
    std::size_t offset = 0;
    Oid table = 0;
    std::uint32_t xid = 0;
  };

  Step add_rare(std::string_view message);
  void note_complete();

  void append(std::string_view message) {
    if (!open_) [[unlikely]] {
      misplaced(message);
    }
    block_.add(RecordKind::Message, message);
    ++block_.messages;
  }

  [[noreturn]] static void misplaced(std::string_view message);

  JournalBlock block_;
  std::vector<RelationPlace> relations_;
  std::size_t usual_bytes_ = 0;  ///< of recent blocks, to reserve once
  Lsn position_;
  Lsn commit_end_;
  std::uint32_t xid_ = 0;  ///< of the open transaction
  bool open_ = false;
};

/// A block that says only that the open transaction is void.
JournalBlock abort_block();

}  // namespace re_dms
