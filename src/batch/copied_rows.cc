#include "batch/copied_rows.h"

#include <fmt/format.h>

#include <utility>

namespace re_dms {

CopiedRows::CopiedRows(TablePtr table, const FoldRules& rules)
    : table_(std::move(table)), rules_(rules), proof_(*table_, rules.raw_text), layer_(table_) {}

std::optional<std::string> CopiedRows::add(std::string_view tuple) {
  if (tuple.size() > rules_.row_bytes_max) [[unlikely]] {
    return fmt::format("{} (a row of {} bytes). Raise it before the table is copied again",
                       describe(RowFault::RowTooLarge), tuple.size());
  }
  if (!proof_.empty()) [[unlikely]] {
    if (const auto column = proof_.unreadable_column(TupleView(tuple))) {
      return fmt::format(
          "column {} has a value that is not UTF-8: correct it before the table is copied again",
          table_->columns.at(*column).name);
    }
  }
  Layer::StoredRow& row = layer_.rows.emplace_back();
  row.op = RowOp::Insert;
  row.tuple = layer_.memory.store(tuple);
  return std::nullopt;
}

Layer CopiedRows::take() {
  layer_.counts.inserts = layer_.rows.size();
  return std::exchange(layer_, Layer(table_));
}

}  // namespace re_dms
