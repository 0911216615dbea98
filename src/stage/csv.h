// Net rows as lines of CSV, the form every warehouse bulk-loads. The layout is drawn here and, with
// the options a reader needs, in docs/stage_format.md.
//
//   shape Inserts   column, …                             the table's columns in order
//   shape Changes   op, mask, origin key, …, column, …    op is I, R, U or D
//   shape Multiset  op, column, …                         op is I or D, columns are those of the
//   row
//
//   mask         for U one '0' or '1' per table column, 1 = carried by the row; NULL for the others
//   origin key   the key columns in column order, as they were when the layer began; NULL for I
//   column       in Changes NULL where the mask says 0, and everywhere for D
//
// No header line; ',' between fields, '\n' after each line. NULL is the format's text for it (\N)
// without quotes; a text that could be misread is put in '"', with each '"' inside doubled
// (needs_quotes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/layer.h"
#include "model/stage_format.h"
#include "model/staged_batch.h"
#include "stage/byte_sink.h"
#include "stage/column_plan.h"
#include "stage/parts_json.h"

namespace re_dms {

/// Whether a text must be quoted: empty, begins with a backslash (the NULL marker does), a space or
/// the first byte of a byte order mark, ends with a space, or holds '"', ',' or a control
/// character.
bool needs_quotes(std::string_view text);

/// Writes lines to a sink in buffers of at most 256 KiB, whatever the length of a row.
class CsvWriter {
 public:
  /// `sink` must outlive the writer, `table` need not.
  CsvWriter(const TableSchema& table, LayerShape shape, ByteSink& sink,
            const StageFormat& format = {});

  /// Writes one line and returns its length, newline counted. Values that the target cannot hold
  /// are changed, or left as they are and noted as refused, as the format's policy wants it. A row
  /// that does not fit the table or the shape is a bug of the fold and refused (Fatal).
  std::uint64_t append(const NetRow& row);

  /// Hands the rest to the sink. Without it the last lines are lost.
  void finish() { drain(); }

  /// What was changed and refused since the last call.
  AdjustedValues take_adjusted() { return adjusted_.take(); }

  /// Bytes of all lines so far.
  std::uint64_t bytes() const {
    return drained_ + static_cast<std::uint64_t>(end_ - buffer_.get());
  }

 private:
  /// At least `size` bytes to write at, at most kBufferBytes.
  char* room(std::size_t size);
  void drain();

  /// Each writes one field, or several, and a comma after each.
  void put_raw(std::string_view fields);
  void put_text(std::string_view text);
  void put_value(const ValueLimits& limits, std::string_view text);
  void put_rewritten(const ValueLimits& limits, std::string_view text);
  void put_long_text(std::string_view text);
  void put_op(RowOp op);
  void put_before_columns(const NetRow& row);
  void put_mask(const TupleView& tuple);
  void put_columns(const NetRow& row);
  void put_plain(const NetRow& row);
  void put_planned(const NetRow& row);
  void put_planned(std::size_t column, Value value, const NetRow& row);
  void put_as_json(std::size_t column, std::string_view text, const NetRow& row);
  void put_without(const std::vector<bool>& out, const NetRow& row);
  void put_held(std::size_t column, std::string_view text, const NetRow& row);
  void note_changed(std::size_t column, const HeldValue& held, std::string_view text,
                    const NetRow& row);
  std::size_t bytes_before_columns(const NetRow& row) const;
  std::vector<bool> left_out(const NetRow& row);
  std::size_t value_bytes(const ValueLimits& limits, std::string_view text);
  std::string_view as_json(const ValueLimits& limits, std::string_view text);

  ByteSink& sink_;
  LayerShape shape_;
  std::size_t columns_;
  ColumnPlan plan_;
  AdjustedLog adjusted_;
  PartsToJson parts_;
  std::string json_;               ///< of the value that is looked at
  std::vector<std::size_t> keys_;  ///< the key columns
  std::string null_field_;
  std::string null_keys_;     ///< the origin key of an insert
  std::string null_columns_;  ///< the columns of a delete
  std::unique_ptr<char[]> buffer_;
  char* end_;
  std::uint64_t drained_ = 0;
};

}  // namespace re_dms
