// The fold of tables whose rows are told apart by a key.
#pragma once

#include <cstdint>
#include <string>

#include "batch/table_fold.h"

namespace re_dms {

/// A row that was there when the layer began keeps its origin key whatever keys it takes later, so
/// chains and cycles of keys need no second layer: the target deletes by origin key, moves all rows
/// in one UPDATE, then inserts. Keys are equal when their texts are: PostgreSQL 15 sends 1.0 → 1.00
/// as a change of the key.
class KeyFold final : public TableFold {
 public:
  KeyFold(const TablePtr& table, std::vector<SchemaChange> changes, const FoldRules& rules)
      : TableFold(table, std::move(changes), rules) {}

  RowFault insert(const pgoutput::Insert& change) override;
  RowFault update(const pgoutput::Update& change) override;
  RowFault erase(const pgoutput::Delete& change) override;

 private:
  enum class PlaceOf { RowKey, Origin };

  RowFault check_old_kind(pgoutput::OldTuple kind) const;
  bool is_live(std::uint32_t row) const;
  KeyPlace new_place(const HashedKey& key, PlaceOf what);
  void leave(const KeyPlace& place);
  RowFault take_key(const HashedKey& key, std::uint32_t row);
  RowFault store_update(std::uint32_t row, const pgoutput::Update& change, bool complete);
  void delete_row(const KeyPlace& place);

  std::string key_;
  std::string old_key_;
};

}  // namespace re_dms
