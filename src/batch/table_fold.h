// Folds the changes of one table into one layer: many changes of a row become one net row.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "batch/key_index.h"
#include "batch/row_fault.h"
#include "batch/text_proof.h"
#include "batch/tuple_shape.h"
#include "model/layer.h"
#include "pgoutput/messages.h"

namespace re_dms {

struct FoldRules {
  std::size_t row_bytes_max = 0;
  bool raw_text = false;  ///< the source's database proves no text
};

/// What all ways of telling rows apart have in common. After a fault the fold must no longer be
/// used.
class TableFold {
 public:
  TableFold(const TableFold&) = delete;
  TableFold& operator=(const TableFold&) = delete;
  virtual ~TableFold() = default;

  /// The views need not outlive the call. Throw Fatal when a tuple does not fit the table.
  virtual RowFault insert(const pgoutput::Insert& change) = 0;
  virtual RowFault update(const pgoutput::Update& change) = 0;
  virtual RowFault erase(const pgoutput::Delete& change) = 0;

  const Layer& layer() const { return layer_; }

  /// A row change is for this layer.
  void count_change() { ++layer_.received; }

  /// A change came, whatever became of it.
  bool got_rows() const { return !layer_.rows.empty(); }

  /// Something to do for the target.
  bool has_work() const;

  /// The rows of this layer do not count any more: the table is emptied after them. Its schema
  /// changes stay. No row may follow.
  void drop_rows();

  /// Marks the layer as one that begins with emptying the table.
  void truncate_first() { layer_.truncate = true; }

  /// Whose values are to be proved before they are folded.
  const TextProof& proof() const { return proof_; }

  /// No row follows: gives the memory of the index back.
  void close();

  /// The finished layer; closes.
  Layer take();

  std::size_t memory_bytes() const;

  /// Bytes of the row that gave RowTooLarge.
  std::size_t refused_bytes() const { return refused_bytes_; }

 protected:
  TableFold(const TablePtr& table, std::vector<SchemaChange> changes, const FoldRules& rules);

  std::uint32_t add_row(RowOp op);
  void make_void(std::uint32_t row);
  RowFault check_size(std::size_t bytes);

  Layer layer_;
  TupleShape shape_;
  KeyIndex index_;

 private:
  std::vector<std::uint32_t> void_rows_;  // their places in `rows` are taken by the next rows
  TextProof proof_;
  std::size_t row_bytes_max_;
  std::size_t refused_bytes_ = 0;
};

/// The fold that suits the table's replica identity.
std::unique_ptr<TableFold> make_fold(const TablePtr& table, std::vector<SchemaChange> changes,
                                     const FoldRules& rules);

}  // namespace re_dms
