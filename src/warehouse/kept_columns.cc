// Columns of the target that the source's table has dropped and that hold what they held.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "warehouse/batch_load.h"

namespace re_dms {

namespace {

constexpr std::string_view kWayOut =
    "Copy what they hold into another table and drop them in the target, or set on_drop_column = "
    "\"drop\" "
    "for the table and restart re_dms; then run `re_dms resync`";

bool has_attnum(const TableSchema& table, std::int16_t attnum) {
  return std::ranges::find(table.columns, attnum, &Column::attnum) != table.columns.end();
}

}  // namespace

/// What the layer's changes mean for columns that are kept.
void BatchLoad::keep_columns(const StagedLayer& layer, StoredTable& table) const {
  const auto same = [this](const std::string& a, const std::string& b) {
    return target_.is_same_name({"", a}, {"", b});
  };
  for (const SchemaChange& change : layer.changes) {
    if (const auto* drop = std::get_if<DropColumn>(&change); drop != nullptr && drop->kept) {
      table.kept_columns.push_back(drop->name);
      continue;
    }
    const auto* add = std::get_if<AddColumn>(&change);
    if (add == nullptr) {
      continue;
    }
    const std::string& name = add->column.name;
    const auto kept = std::ranges::find_if(
        table.kept_columns, [&](const std::string& other) { return same(other, name); });
    if (kept == table.kept_columns.end()) {
      continue;
    }
    if (target_.has_column(table.target, name)) {
      throw Error(
          ErrorKind::Table,
          fmt::format("the source added column \"{}\", and the target keeps another one of this "
                      "name, which the source dropped earlier. Copy what it holds into another "
                      "table, drop it in the target, and then run `re_dms resume`",
                      name));
    }
    table.kept_columns.erase(kept);
  }
  // Rows that are only added lose nothing.
  const bool loses =
      (is_multiset(*layer.table) && layer.counts.deletes > 0) || table.may_lack_rows();
  if (loses) {
    std::erase_if(table.kept_columns, [&](const std::string& column) {
      return !target_.has_column(table.target, column);
    });
  }
  if (loses && !table.kept_columns.empty()) {
    throw Error(
        ErrorKind::Table,
        fmt::format("the target is to keep columns that the source dropped ({}), and rows of a "
                    "table {} would lose what they hold there when they change. {}",
                    fmt::join(table.kept_columns, ", "),
                    table.may_lack_rows() ? "that began without a copy" : "without a key",
                    kWayOut));
  }
}

/// Throws Table where the copy would take the place of columns that are to be kept.
void BatchLoad::require_nothing_lost(const StagedLayer& layer, const StoredTable& table) const {
  // What is wanted of a table goes by its name: under a new one nobody has said that they may go.
  const bool renamed = layer.table->name != table.schema.name;
  if (layer.copy->initial_copy == InitialCopy::Never || !(layer.copy->keeps_columns || renamed)) {
    return;
  }
  std::vector<std::string> lost = table.kept_columns;
  for (const Column& column : table.schema.columns) {
    if (layer.copy->keeps_columns && !has_attnum(*layer.table, column.attnum)) {
      lost.push_back(column.name);
    }
  }
  require_none_there(table, std::move(lost));
}

void BatchLoad::require_none_there(const StoredTable& table,
                                   std::vector<std::string> columns) const {
  std::erase_if(columns, [&](const std::string& column) {
    return !target_.has_column(table.target, column);
  });
  if (!columns.empty()) {
    throw Error(ErrorKind::Table,
                fmt::format("it is to be copied anew, and the table {} of the target keeps columns "
                            "that the source has no longer ({}): what they hold would be lost. {}",
                            to_string(table.target), fmt::join(columns, ", "), kWayOut));
  }
}

}  // namespace re_dms
