// Stand-ins for what follows the fold: a sink that keeps what it gets, and a target that applies
// layers as a warehouse does, but refuses everything that does not fit exactly.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "batch/testing/stream_builder.h"
#include "model/batch.h"

namespace re_dms {

struct SealedBatch {
  BatchSpan span;
  std::vector<Layer> layers;
  std::vector<SetAside> set_aside;
};

class RecordingSink final : public BatchSink {
 public:
  void layer(Layer&& layer) override { open.push_back(std::move(layer)); }

  void seal(const BatchSpan& span, std::vector<SetAside> set_aside) override {
    batches.push_back({span, std::move(open), std::move(set_aside)});
    open.clear();
  }

  void drop() override {
    open.clear();
    ++drops;
  }

  std::vector<Layer> open;
  std::vector<SealedBatch> batches;
  int drops = 0;
};

/// Tables by OID, rows by encoded key; equal rows of a multiset by their content and a number that
/// counts up from 0.
class TargetModel {
 public:
  using Rows = std::map<std::string, Cells>;

  /// Changes, truncation, then DELETE by origin, all masked rows at once, INSERT. Throws
  /// std::logic_error when a statement touches other than the rows staged for it, when two rows
  /// get one key, or when counts are wrong.
  void apply(const Layer& layer);
  void apply(const SealedBatch& batch);

  void create(const TableSchema& table) { tables[table.oid] = {}; }

  /// What the tables hold, in an order of its own, however rows are told apart.
  static std::map<Oid, std::vector<std::string>> contents(const std::map<Oid, Rows>& tables);

  std::map<Oid, Rows> tables;
};

/// The encoded key of a row.
std::string key_of(const TableSchema& table, const Cells& row);

/// The rows under the keys that the table's schema gives them. Throws std::logic_error when two
/// rows get one key.
TargetModel::Rows rekeyed(const TargetModel::Rows& rows, const TableSchema& table);

/// Adds one more of a multiset's row, or takes one away; false when there is none.
void add_copy(TargetModel::Rows& rows, const Cells& row);
bool take_copy(TargetModel::Rows& rows, const Cells& row);

/// What ADD COLUMN does to the rows that are there.
void add_value(TargetModel::Rows& rows, const TableSchema& table, const Column& added);

Cells cells_of(TupleView tuple);

/// One line per layer and row: "I 1,a", "R 1>2,a", "U 1>1,~,b" (~ unchanged), "D 1", several
/// copies "I 1,a x2"; before the rows "orders: create +column truncate".
std::string describe_changes(const Layer& layer);
std::string describe_changes(const std::vector<Layer>& layers);

}  // namespace re_dms
