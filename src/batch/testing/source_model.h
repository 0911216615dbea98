// A made-up source database: random transactions, and the messages PostgreSQL would send of them.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "batch/testing/stream_builder.h"
#include "batch/testing/target_model.h"

namespace re_dms {

/// Values that begin with 'T' count as TOASTed: they are not sent again while they do not change.
class SourceModel {
 public:
  struct Table {
    TableSchema schema;
    TargetModel::Rows rows;
  };

  explicit SourceModel(std::uint64_t seed);

  /// Records of one transaction's changes, without Begin and Commit; takes effect at once. As on a
  /// new connection, a relation comes before the first row of its table. Each string is one record.
  std::vector<std::string> transaction(Lsn commit_lsn);

  /// What the target has to hold now.
  std::map<Oid, std::vector<std::string>> contents() const;

  std::vector<TableSchema> schemas() const;

  std::uint64_t random(std::uint64_t below) { return engine_() % below; }

 private:
  void announce(const Table& table);
  void change(Table& table);
  void insert(Table& table);
  void update(Table& table);
  void update_copy(Table& table);
  static Cells sent(const Cells& old, const Cells& row);
  void erase(Table& table);
  void truncate();
  void add_column(Table& table);
  void create_table();
  void answer(const Table& table);
  void drop_or_add_key();
  void emit(const std::string& message);
  Cells random_row(const TableSchema& table);
  Cell random_value();
  TargetModel::Rows::iterator random_row_of(Table& table);

  std::mt19937_64 engine_;
  std::map<Oid, Table> tables_;
  std::vector<std::string> records_;
  Lsn commit_lsn_;
  Lsn asked_at_;
  Oid key_index_ = 900;      // of the table whose key comes and goes
  std::set<Oid> announced_;  // tables whose relation came in this transaction
};

}  // namespace re_dms
