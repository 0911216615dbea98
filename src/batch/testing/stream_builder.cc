#include "batch/testing/stream_builder.h"

#include "base/bytes.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

std::string row_message(char type, Oid table) {
  std::string message(1, type);
  append_be(message, table);
  return message;
}

void append_tuple(std::string& message, char mark, const Cells& cells) {
  message += mark;
  message += tuple_bytes(cells);
}

}  // namespace

std::string tuple_bytes(const Cells& cells) {
  std::string bytes;
  append_be(bytes, static_cast<std::uint16_t>(cells.size()));
  for (const Cell& cell : cells) {
    bytes += static_cast<char>(cell.kind);
    if (cell.kind == ValueKind::Text) {
      append_be(bytes, static_cast<std::uint32_t>(cell.text.size()));
      bytes += cell.text;
    }
  }
  return bytes;
}

TableSchema text_table(Oid oid, const std::string& name, const std::vector<std::string>& columns,
                       std::size_t keys) {
  constexpr Oid kText = 25;
  TableSchema table;
  table.oid = oid;
  table.name = {"public", name};
  for (const std::string& column_name : columns) {
    Column column;
    column.name = column_name;
    column.attnum = static_cast<std::int16_t>(table.columns.size() + 1);
    column.type = {kText, -1, "text", 'b', kText, -1, 0};
    column.key = table.columns.size() < keys;
    column.not_null = column.key;
    table.columns.push_back(std::move(column));
  }
  table.history = {oid, static_cast<std::int16_t>(columns.size()), 0};
  return table;
}

Relation relation_of(const TableSchema& table) {
  Relation relation{table.oid, table.name, table.identity, {}};
  const bool full = table.identity == ReplicaIdentity::Full;
  for (const Column& column : table.columns) {
    relation.columns.push_back(
        {column.name, column.type.oid, column.type.typmod, full || column.key});
  }
  return relation;
}

std::string begin_message(Lsn commit_lsn, SystemTime commit_time, std::uint32_t xid) {
  std::string message = "B";
  append_be(message, commit_lsn.value);
  append_be(message, pgoutput::to_postgres_time(commit_time));
  append_be(message, xid);
  return message;
}

std::string commit_message(Lsn commit_lsn, Lsn end_lsn, SystemTime commit_time) {
  std::string message = "C";
  message += '\0';
  append_be(message, commit_lsn.value);
  append_be(message, end_lsn.value);
  append_be(message, pgoutput::to_postgres_time(commit_time));
  return message;
}

std::string relation_message(const Relation& relation) {
  std::string message = row_message('R', relation.oid);
  message += relation.name.schema + '\0' + relation.name.name + '\0';
  message += static_cast<char>(relation.identity);
  append_be(message, static_cast<std::uint16_t>(relation.columns.size()));
  for (const RelationColumn& column : relation.columns) {
    message += column.key ? '\1' : '\0';
    message += column.name + '\0';
    append_be(message, column.type_oid);
    append_be(message, static_cast<std::uint32_t>(column.typmod));
  }
  return message;
}

std::string insert_message(Oid table, const Cells& row) {
  std::string message = row_message('I', table);
  append_tuple(message, 'N', row);
  return message;
}

std::string update_message(Oid table, const Cells& row) {
  std::string message = row_message('U', table);
  append_tuple(message, 'N', row);
  return message;
}

std::string update_message(Oid table, const Cells& old, const Cells& row, char mark) {
  std::string message = row_message('U', table);
  append_tuple(message, mark, old);
  append_tuple(message, 'N', row);
  return message;
}

std::string delete_message(Oid table, const Cells& old, char mark) {
  std::string message = row_message('D', table);
  append_tuple(message, mark, old);
  return message;
}

std::string truncate_message(const std::vector<Oid>& tables) {
  std::string message = "T";
  append_be(message, static_cast<std::uint32_t>(tables.size()));
  message += '\0';
  for (const Oid table : tables) {
    append_be(message, table);
  }
  return message;
}

StreamBuilder& StreamBuilder::begin(Lsn commit_lsn, SystemTime commit_time) {
  commit_lsn_ = commit_lsn;
  commit_time_ = commit_time;
  return message(begin_message(commit_lsn, commit_time));
}

StreamBuilder& StreamBuilder::commit(Lsn end_lsn) {
  return message(commit_message(commit_lsn_, end_lsn, commit_time_));
}

StreamBuilder& StreamBuilder::relation(const TableSchema& table) {
  return message(relation_message(relation_of(table)));
}

StreamBuilder& StreamBuilder::relation_in_force(const TableSchema& table) {
  block_.add(RecordKind::Relation, relation_message(relation_of(table)));
  return *this;
}

StreamBuilder& StreamBuilder::catalog(const std::vector<CatalogTable>& tables) {
  block_.add(RecordKind::Catalog, catalog_to_json(tables));
  return *this;
}

StreamBuilder& StreamBuilder::idle(Lsn position) {
  std::string body;
  append_be(body, position.value);
  append_be(body, std::uint64_t{0});
  block_.add(RecordKind::Idle, body);
  return *this;
}

StreamBuilder& StreamBuilder::message(std::string_view message) {
  block_.add(RecordKind::Message, message);
  return *this;
}

}  // namespace re_dms
