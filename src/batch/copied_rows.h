// Rows of a copy on their way into a layer: the same bounds and proofs as for rows of the stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "batch/table_fold.h"
#include "batch/text_proof.h"
#include "model/layer.h"
#include "model/table_schema.h"

namespace re_dms {

/// Fills one layer after the other.
class CopiedRows {
 public:
  CopiedRows(TablePtr table, const FoldRules& rules);

  /// Adds a row, a tuple with the table's columns whose bytes need not outlive the call. Why the
  /// table cannot be copied, for people; nothing where the row was taken.
  std::optional<std::string> add(std::string_view tuple);

  std::size_t rows() const { return layer_.rows.size(); }

  std::size_t memory_bytes() const { return layer_.memory_bytes(); }

  /// The layer so far, all of it inserts; the next one begins empty.
  Layer take();

 private:
  TablePtr table_;
  FoldRules rules_;
  TextProof proof_;
  Layer layer_;
};

}  // namespace re_dms
