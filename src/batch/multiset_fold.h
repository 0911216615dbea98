// The fold of tables whose rows nothing tells apart.
#pragma once

#include <cstdint>
#include <string>

#include "batch/table_fold.h"

namespace re_dms {

/// For REPLICA IDENTITY FULL without a usable primary key: keeps, for each distinct row, how many
/// more or fewer of it there are. An update takes the old row away and adds the new one. Rows are
/// equal when the texts of all their columns are.
class MultisetFold final : public TableFold {
 public:
  MultisetFold(const TablePtr& table, std::vector<SchemaChange> changes, const FoldRules& rules)
      : TableFold(table, std::move(changes), rules) {}

  RowFault insert(const pgoutput::Insert& change) override;
  RowFault update(const pgoutput::Update& change) override;
  RowFault erase(const pgoutput::Delete& change) override;

 private:
  void count(std::string_view row, RowOp op);

  std::string merged_;
};

}  // namespace re_dms
