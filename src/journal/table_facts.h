// What rows of each table need to be read: its Relation message and its catalog entry, as the
// stream brought them last. The writer repeats them in a segment before the first row of a table,
// so that a segment can be read alone; a table without rows is not repeated and costs nothing.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/journal_block.h"
#include "model/table_schema.h"
#include "pgoutput/messages.h"

namespace re_dms {

/// Held in memory only: each connection to the server brings a table's Relation again before its
/// first row, and with it the source brings the catalog entry, so a restart begins with nothing.
class TableFacts {
 public:
  /// A raw Relation message just written to the segment. Throws Fatal when it is malformed.
  void note_relation(std::string_view message);

  /// The body of a Catalog record just written to the segment. Throws Fatal when it is malformed.
  void note_catalog(std::string_view json);

  /// Nothing in the segment counts as written any more: a new one began, or the transaction that
  /// held it was aborted and readers dropped it.
  void forget_written();

  /// Whether the message may follow in this segment: it concerns no table, or only tables whose
  /// facts are here.
  bool written_for(std::string_view message) {
    switch (message.empty() ? '\0' : message[0]) {
      case 'I':
      case 'U':
      case 'D':
        return written(pgoutput::row_relation(message));
      case 'T':
        return all_written(pgoutput::decode_truncate(message).relations);
      default:
        return true;
    }
  }

  /// The records that must come before the message; they are taken as written.
  JournalBlock repeat_for(std::string_view message);

 private:
  struct Entry {
    std::string relation;                ///< raw message
    std::string catalog;                 ///< JSON array of one table
    std::uint64_t relation_written = 0;  ///< equal to segment_: it stands in this segment
    std::uint64_t catalog_written = 0;
  };

  bool written(Oid table) {
    if (table == last_written_) [[likely]] {
      return true;
    }
    return look_up(table);
  }

  bool all_written(const std::vector<Oid>& tables);
  bool look_up(Oid table);
  void repeat(Oid table, JournalBlock& block);
  bool missing_relation(const Entry& entry) const;
  bool missing_catalog(const Entry& entry) const;

  absl::flat_hash_map<Oid, Entry> entries_;
  std::uint64_t segment_ = 1;  ///< counts what forget_written separates
  Oid last_written_ = 0;
};

}  // namespace re_dms
