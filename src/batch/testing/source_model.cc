#include "batch/testing/source_model.h"

#include <iterator>

namespace re_dms {

namespace {

constexpr std::uint64_t kKeys = 5;
constexpr std::size_t kTablesMax = 6;
constexpr Oid kKeyed = 4;

bool toasted(const Cell& cell) {
  return cell.text.starts_with('T');
}

}  // namespace

SourceModel::SourceModel(std::uint64_t seed) : engine_(seed) {
  tables_[1].schema = text_table(1, "single", {"k", "a", "b", "c"});
  tables_[2].schema = text_table(2, "pairs", {"k", "l", "a", "b"}, 2);
  tables_[3].schema = text_table(3, "heap", {"a", "b"}, 0);
  tables_[3].schema.identity = ReplicaIdentity::Full;
  tables_[kKeyed].schema = text_table(kKeyed, "keyed", {"k", "a", "b"});
  tables_[kKeyed].schema.identity = ReplicaIdentity::Full;
}

std::vector<std::string> SourceModel::transaction(Lsn commit_lsn) {
  commit_lsn_ = commit_lsn;
  records_.clear();
  announced_.clear();
  const std::uint64_t changes = 1 + random(random(8) == 0 ? 120 : 6);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::uint64_t dice = random(400);
    if (dice < 4) {
      truncate();
    } else if (dice == 4) {
      add_column(std::next(tables_.begin(), static_cast<long>(random(tables_.size())))->second);
    } else if (dice < 9) {
      drop_or_add_key();
    } else if (dice == 9 && tables_.size() < kTablesMax) {
      create_table();
    } else {
      change(std::next(tables_.begin(), static_cast<long>(random(tables_.size())))->second);
    }
  }
  return std::move(records_);
}

std::map<Oid, std::vector<std::string>> SourceModel::contents() const {
  std::map<Oid, TargetModel::Rows> all;
  for (const auto& [oid, table] : tables_) {
    all[oid] = table.rows;
  }
  return TargetModel::contents(all);
}

std::vector<TableSchema> SourceModel::schemas() const {
  std::vector<TableSchema> all;
  for (const auto& [oid, table] : tables_) {
    all.push_back(table.schema);
  }
  return all;
}

void SourceModel::emit(const std::string& message) {
  records_.push_back(StreamBuilder().message(message).bytes());
}

void SourceModel::announce(const Table& table) {
  if (announced_.insert(table.schema.oid).second) {
    emit(relation_message(relation_of(table.schema)));
  }
}

void SourceModel::change(Table& table) {
  announce(table);
  const std::uint64_t dice = table.rows.empty() ? 0 : random(10);
  if (dice < 3) {
    insert(table);
  } else if (dice < 8) {
    update(table);
  } else {
    erase(table);
  }
}

Cell SourceModel::random_value() {
  switch (random(6)) {
    case 0:
      return kNull;
    case 1:
      return "";
    case 2:
    case 3:
      return "T" + std::string(random(300), 'x') + std::to_string(random(1000));
    default:
      return std::to_string(random(1000));
  }
}

Cells SourceModel::random_row(const TableSchema& table) {
  Cells row;
  for (const Column& column : table.columns) {
    const std::uint64_t key = random(kKeys);
    row.push_back(column.key ? Cell((key == 0 ? "T" : "") + std::to_string(key)) : random_value());
  }
  return row;
}

TargetModel::Rows::iterator SourceModel::random_row_of(Table& table) {
  return std::next(table.rows.begin(), static_cast<long>(random(table.rows.size())));
}

void SourceModel::insert(Table& table) {
  Cells row = random_row(table.schema);
  if (is_multiset(table.schema)) {
    add_copy(table.rows, row);
    emit(insert_message(table.schema.oid, row));
    return;
  }
  if (table.rows.emplace(key_of(table.schema, row), row).second) {
    emit(insert_message(table.schema.oid, row));
  }
}

Cells SourceModel::sent(const Cells& old, const Cells& row) {
  Cells cells = row;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (toasted(row[i]) && row[i] == old[i]) {
      cells[i] = kUnchanged;
    }
  }
  return cells;
}

void SourceModel::update_copy(Table& table) {
  const Cells old = random_row_of(table)->second;
  Cells row = random_row(table.schema);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (random(2) == 0) {
      row[i] = old[i];
    }
  }
  take_copy(table.rows, old);
  add_copy(table.rows, row);
  emit(update_message(table.schema.oid, old, sent(old, row), 'O'));
}

void SourceModel::update(Table& table) {
  if (is_multiset(table.schema)) {
    return update_copy(table);
  }
  const auto at = random_row_of(table);
  const Cells old = at->second;
  Cells row = random_row(table.schema);
  const bool moves = random(4) == 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool key = table.schema.columns[i].key;
    if (key ? !moves : random(2) == 0) {
      row[i] = old[i];
    }
  }
  const std::string key = key_of(table.schema, row);
  if (key != at->first && table.rows.contains(key)) {
    return;
  }
  table.rows.erase(at);
  table.rows.emplace(key, row);
  Cells old_key(old.size(), kNull);
  bool key_sent = key != key_of(table.schema, old);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (table.schema.columns[i].key) {
      old_key[i] = old[i];
      key_sent = key_sent || toasted(old[i]);
    }
  }
  if (table.schema.identity == ReplicaIdentity::Full) {
    return emit(update_message(table.schema.oid, old, sent(old, row), 'O'));
  }
  emit(key_sent ? update_message(table.schema.oid, old_key, sent(old, row))
                : update_message(table.schema.oid, sent(old, row)));
}

void SourceModel::erase(Table& table) {
  const auto at = random_row_of(table);
  Cells old = at->second;
  if (is_multiset(table.schema)) {
    take_copy(table.rows, old);
    emit(delete_message(table.schema.oid, old, 'O'));
    return;
  }
  if (table.schema.identity == ReplicaIdentity::Full) {
    table.rows.erase(at);
    return emit(delete_message(table.schema.oid, old, 'O'));
  }
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (!table.schema.columns[i].key) {
      old[i] = kNull;
    }
  }
  table.rows.erase(at);
  emit(delete_message(table.schema.oid, old));
}

void SourceModel::truncate() {
  std::vector<Oid> oids;
  for (auto& [oid, table] : tables_) {
    if (random(2) == 0) {
      announce(table);
      table.rows.clear();
      oids.push_back(oid);
    }
  }
  emit(truncate_message(oids));
}

void SourceModel::add_column(Table& table) {
  const std::size_t number = table.schema.columns.size() + 1;
  Column column = text_table(0, "", {"added" + std::to_string(number)}, 0).columns[0];
  column.attnum = static_cast<std::int16_t>(number);
  if (random(2) == 0) {
    column.missing = "default";
  }
  table.schema.columns.push_back(column);
  add_value(table.rows, table.schema, column);
  announced_.erase(table.schema.oid);
  answer(table);
  announce(table);
}

/// What the catalog says of a table now, asked some time after this transaction.
void SourceModel::answer(const Table& table) {
  asked_at_ = std::max(asked_at_, Lsn{commit_lsn_.value + 1 + random(400)});
  CatalogTable told{table.schema, true, asked_at_, {}};
  told.schema.publication = Publishing{{16000, 700}, {}};
  if (table.schema.identity == ReplicaIdentity::Full && !is_multiset(table.schema)) {
    told.primary_key = PrimaryKey{key_index_, {1}};
  }
  records_.push_back(StreamBuilder().catalog({told}).bytes());
}

/// ALTER TABLE … DROP or ADD PRIMARY KEY of a table whose replica identity is FULL: the Relation
/// says the same before and after.
void SourceModel::drop_or_add_key() {
  Table& table = tables_.at(kKeyed);
  if (is_multiset(table.schema)) {
    std::set<std::string> keys;
    for (const auto& [name, row] : table.rows) {
      if (row[0].kind != ValueKind::Text || !keys.insert(row[0].text).second) {
        return;
      }
    }
    ++key_index_;
  }
  table.schema.columns[0].key = is_multiset(table.schema);
  table.rows = rekeyed(table.rows, table.schema);
  announced_.erase(kKeyed);
  answer(table);
  announce(table);
}

void SourceModel::create_table() {
  const auto oid = static_cast<Oid>(tables_.size() + 1);
  Table& table = tables_[oid];
  table.schema = text_table(oid, "new" + std::to_string(oid), {"k", "a"});
  records_.push_back(StreamBuilder().catalog({{table.schema, true}}).bytes());
}

}  // namespace re_dms
