#include "row_text.h"

#include <fmt/format.h>

#include "base/crc32c.h"

namespace re_dms {

namespace {

// Longer values stand in full in expected.csv.
constexpr std::size_t kShownMax = 80;
constexpr std::size_t kBeginningShown = 12;

/// One line, whatever the text holds.
std::string in_quotes(std::string_view text) {
  const bool whole = text.size() <= kShownMax;
  std::string shown = "'";
  for (const char character : whole ? text : text.substr(0, kBeginningShown)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F || character == '\\' || character == '\'') {
      shown += fmt::format("\\{:02x}", byte);
    } else {
      shown += character;
    }
  }
  return whole ? shown + "'"
               : fmt::format("{}…' ({} bytes, CRC32C {:08x})", shown, text.size(), crc32c(0, text));
}

std::string shown(const Value& value) {
  switch (value.kind) {
    case ValueKind::Null:
      return "NULL";
    case ValueKind::UnchangedToast:
      return "unchanged";
    case ValueKind::Text:
      break;
  }
  return in_quotes(value.text);
}

std::string shown(const NetRow& row) {
  std::string text = fmt::format("  {}", static_cast<char>(row.op));
  if (!row.origin_key.empty()) {
    std::string key;
    for_each_key_part(row.origin_key, [&](std::string_view part) {
      key += (key.empty() ? "" : ", ") + in_quotes(part);
    });
    text += fmt::format(" where key ({})", key);
  }
  if (!row.tuple.empty()) {
    std::string values;
    ColumnCursor cursor = row.tuple.columns();
    for (std::size_t i = 0; i < row.tuple.count(); ++i) {
      values += (i == 0 ? "" : ", ") + shown(cursor.next());
    }
    text += fmt::format("{} ({})", row.origin_key.empty() ? "" : " →", values);
  }
  return text + "\n";
}

std::string shown(const Column& column) {
  return fmt::format("{} {}{}{}", column.name, column.type.name, column.not_null ? " not null" : "",
                     column.missing ? " missing " + in_quotes(*column.missing) : "");
}

std::string shown(const SchemaChange& change, const TableSchema& table) {
  if (const auto* added = std::get_if<AddColumn>(&change)) {
    return fmt::format("  add column {}\n", shown(added->column));
  }
  std::string columns;
  for (const Column& column : table.columns) {
    columns += (columns.empty() ? "" : ", ") + shown(column);
  }
  return fmt::format("  create ({})\n", columns);
}

std::string shown(const Layer& layer) {
  const TableSchema& table = *layer.table;
  std::string text = fmt::format("layer: {} ({}), key ({})\n", to_string(table.name),
                                 column_names(table, false, ""), column_names(table, true, ""));
  for (const SchemaChange& change : layer.changes) {
    text += shown(change, table);
  }
  text += layer.truncate ? "  truncate\n" : "";
  for (std::size_t i = 0; i < layer.rows.size(); ++i) {
    text += layer.rows[i].void_row ? "" : shown(layer.row(i));
  }
  return text;
}

}  // namespace

std::string column_names(const TableSchema& table, bool keys_only, std::string_view prefix) {
  std::string names;
  for (const Column& column : table.columns) {
    if (column.key || !keys_only) {
      names += fmt::format("{}{}{}", names.empty() ? "" : ", ", prefix, column.name);
    }
  }
  return names;
}

std::string describe_batch(const SealedBatch& batch) {
  std::string text = fmt::format("batch {}: {} transactions, {} changes\n", batch.span.number,
                                 batch.span.transactions, batch.span.changes);
  for (const Layer& layer : batch.layers) {
    text += shown(layer);
  }
  for (const SetAside& table : batch.set_aside) {
    text += fmt::format("set aside: {}: {}\n", to_string(table.table), table.reason);
  }
  return text;
}

}  // namespace re_dms
