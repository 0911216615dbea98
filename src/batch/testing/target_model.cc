#include "batch/testing/target_model.h"

#include <algorithm>
#include <stdexcept>
#include <variant>

namespace re_dms {

namespace {

void expect(bool holds, const std::string& what) {
  if (!holds) {
    throw std::logic_error(what);
  }
}

void apply_change(std::map<Oid, TargetModel::Rows>& tables, const Layer& layer,
                  const SchemaChange& change) {
  if (std::holds_alternative<CreateTable>(change)) {
    expect(tables.try_emplace(layer.table->oid).second, "the table to create exists");
    return;
  }
  expect(!std::holds_alternative<DropColumn>(change), "columns are not dropped here");
  if (const auto* add = std::get_if<AddColumn>(&change)) {
    add_value(tables.at(layer.table->oid), *layer.table, add->column);
  }
}

void put(TargetModel::Rows& rows, const TableSchema& table, Cells row) {
  for (const Cell& cell : row) {
    expect(cell.kind != ValueKind::UnchangedToast, "a value is missing");
  }
  expect(row.size() == table.columns.size(), "a row has another number of columns");
  std::string key = key_of(table, row);
  expect(rows.emplace(std::move(key), std::move(row)).second, "two rows have one key");
}

Cells masked(Cells old, Cells fresh) {
  expect(old.size() == fresh.size(), "a masked row has another number of columns");
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (fresh[i].kind == ValueKind::UnchangedToast) {
      fresh[i] = old[i];
    }
  }
  return fresh;
}

std::string copy_name(const Cells& row, std::size_t number) {
  return tuple_bytes(row) + '#' + std::to_string(number);
}

std::size_t copies_of(const TargetModel::Rows& rows, const Cells& row) {
  std::size_t copies = 0;
  while (rows.contains(copy_name(row, copies))) {
    ++copies;
  }
  return copies;
}

/// All copies that go are taken before any comes, as a warehouse does it.
void apply_multiset(TargetModel::Rows& rows, const Layer& layer) {
  LayerCounts counts;
  for (const RowOp op : {RowOp::Delete, RowOp::Insert}) {
    for (std::size_t i = 0; i < layer.rows.size(); ++i) {
      const NetRow row = layer.row(i);
      if (layer.rows[i].void_row || row.op != op) {
        continue;
      }
      expect(row.origin_key.empty(), "a row of a multiset has an origin key");
      const Cells cells = cells_of(row.tuple);
      for (std::uint32_t copy = 0; copy < layer.rows[i].copies; ++copy) {
        if (op == RowOp::Delete) {
          expect(take_copy(rows, cells), "a row to take away is not there");
          ++counts.deletes;
        } else {
          add_copy(rows, cells);
          ++counts.inserts;
        }
      }
    }
  }
  expect(counts == layer.counts, "the layer's counts are wrong");
}

Cells take(TargetModel::Rows& rows, std::string_view key) {
  auto node = rows.extract(std::string(key));
  expect(!node.empty(), "a row to change is not there");
  return std::move(node.mapped());
}

}  // namespace

TargetModel::Rows rekeyed(const TargetModel::Rows& rows, const TableSchema& table) {
  TargetModel::Rows after;
  for (const auto& [key, row] : rows) {
    if (is_multiset(table)) {
      add_copy(after, row);
    } else {
      expect(after.emplace(key_of(table, row), row).second, "two rows have one key");
    }
  }
  return after;
}

void add_value(TargetModel::Rows& rows, const TableSchema& table, const Column& added) {
  for (auto& [key, row] : rows) {
    row.push_back(added.missing ? Cell(*added.missing) : kNull);
  }
  rows = rekeyed(rows, table);
}

std::string key_of(const TableSchema& table, const Cells& row) {
  std::string key;
  for (const std::size_t column : key_columns(table)) {
    append_key_part(key, row.at(column).text);
  }
  return key;
}

void add_copy(TargetModel::Rows& rows, const Cells& row) {
  rows.emplace(copy_name(row, copies_of(rows, row)), row);
}

bool take_copy(TargetModel::Rows& rows, const Cells& row) {
  const std::size_t copies = copies_of(rows, row);
  return copies > 0 && rows.erase(copy_name(row, copies - 1)) == 1;
}

Cells cells_of(TupleView tuple) {
  Cells cells;
  ColumnCursor columns = tuple.columns();
  for (std::uint16_t i = 0; i < tuple.count(); ++i) {
    const Value value = columns.next();
    cells.push_back(value.kind == ValueKind::Text ? Cell(std::string(value.text))
                                                  : Cell(value.kind));
  }
  return cells;
}

void TargetModel::apply(const Layer& layer) {
  expect(layer.has_work(), "a layer without work");
  for (const SchemaChange& change : layer.changes) {
    apply_change(tables, layer, change);
  }
  Rows& rows = tables.at(layer.table->oid);
  rows = rekeyed(rows, *layer.table);
  if (layer.truncate) {
    rows.clear();
  }
  if (is_multiset(*layer.table)) {
    apply_multiset(rows, layer);
    return;
  }
  LayerCounts counts;
  std::vector<Cells> moved;
  std::vector<Cells> inserted;
  // Everything is taken out first: keys of one statement's rows may be exchanged freely.
  for (std::size_t i = 0; i < layer.rows.size(); ++i) {
    if (layer.rows[i].void_row) {
      continue;
    }
    const NetRow row = layer.row(i);
    expect((row.op == RowOp::Insert) == row.origin_key.empty(), "an origin key where none belongs");
    expect((row.op == RowOp::Delete) == row.tuple.empty(), "a tuple where none belongs");
    counts.inserts += row.op == RowOp::Insert ? 1 : 0;
    counts.replaces += row.op == RowOp::Replace ? 1 : 0;
    counts.updates += row.op == RowOp::Update ? 1 : 0;
    counts.deletes += row.op == RowOp::Delete ? 1 : 0;
    if (row.op == RowOp::Update) {
      moved.push_back(masked(take(rows, row.origin_key), cells_of(row.tuple)));
    } else if (row.op != RowOp::Insert) {
      take(rows, row.origin_key);
    }
    if (row.op == RowOp::Insert || row.op == RowOp::Replace) {
      inserted.push_back(cells_of(row.tuple));
    }
  }
  expect(counts == layer.counts, "the layer's counts are wrong");
  for (Cells& row : moved) {
    put(rows, *layer.table, std::move(row));
  }
  for (Cells& row : inserted) {
    put(rows, *layer.table, std::move(row));
  }
}

std::map<Oid, std::vector<std::string>> TargetModel::contents(const std::map<Oid, Rows>& tables) {
  std::map<Oid, std::vector<std::string>> all;
  for (const auto& [oid, rows] : tables) {
    std::vector<std::string>& content = all[oid];
    for (const auto& [key, row] : rows) {
      content.push_back(tuple_bytes(row));
    }
    std::sort(content.begin(), content.end());
  }
  return all;
}

void TargetModel::apply(const SealedBatch& batch) {
  for (const Layer& layer : batch.layers) {
    apply(layer);
  }
}

namespace {

std::string describe(const SchemaChange& change) {
  const auto* added = std::get_if<AddColumn>(&change);
  const auto* dropped = std::get_if<DropColumn>(&change);
  return dropped != nullptr                            ? " -" + dropped->name
         : added != nullptr                            ? " +" + added->column.name
         : std::holds_alternative<CreateTable>(change) ? " create"
                                                       : " store";
}

std::string describe(const NetRow& row) {
  std::string text(1, static_cast<char>(row.op));
  std::string separator = " ";
  for_each_key_part(row.origin_key, [&](std::string_view part) {
    text.append(separator).append(part);
    separator = "|";
  });
  separator = row.origin_key.empty() ? " " : ">";
  for (const Cell& cell : row.tuple.empty() ? Cells{} : cells_of(row.tuple)) {
    text += separator + (cell == kNull ? "NULL" : cell == kUnchanged ? "~" : cell.text);
    separator = ",";
  }
  return text;
}

}  // namespace

std::string describe_changes(const Layer& layer) {
  std::string text = layer.table->name.name + ":";
  for (const SchemaChange& change : layer.changes) {
    text += describe(change);
  }
  text += layer.truncate ? " truncate\n" : "\n";
  for (std::size_t i = 0; i < layer.rows.size(); ++i) {
    if (layer.rows[i].void_row) {
      continue;
    }
    text += describe(layer.row(i));
    if (layer.rows[i].copies > 1) {
      text += " x" + std::to_string(layer.rows[i].copies);
    }
    text += '\n';
  }
  return text;
}

std::string describe_changes(const std::vector<Layer>& layers) {
  std::string text;
  for (const Layer& layer : layers) {
    text += describe_changes(layer);
  }
  return text;
}

}  // namespace re_dms
