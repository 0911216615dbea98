// What the target cannot hold, column by column of a table, and what is written instead.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/adjusted_values.h"
#include "model/stage_format.h"
#include "model/table_schema.h"
#include "model/tuple.h"

namespace re_dms {

/// Whether a target with these limits holds the value. Quick for values that are not odd.
bool fits(const ValueLimits& limits, std::string_view text);

/// The value in the place of one that does not fit.
struct HeldValue {
  std::optional<std::string_view> text;  ///< a part of the value, or of the limits; none: NULL
  std::string_view reason;               ///< why it does not fit
  std::string_view became;
  bool refused = false;            ///< it is not to be changed
  Remedy remedy = Remedy::Person;  ///< where it is refused
};

/// By the policy, and where that makes no sense for the value by what is usual: text is cut, dates
/// and times become the nearest ones, everything else becomes NULL.
HeldValue hold(const ValueLimits& limits, BadValues policy, std::string_view text);

/// Made for the rows of one table and format.
class ColumnPlan {
 public:
  ColumnPlan() = default;
  ColumnPlan(const TableSchema& table, const StageFormat& format);

  /// Every value is written as it comes.
  bool empty() const { return limits_.empty(); }

  /// Every value of the column is written as it comes.
  bool is_plain(std::size_t column) const { return plain_[column] != 0; }

  const ValueLimits& limits(std::size_t column) const { return limits_[column]; }

  /// Error for key columns: they are never changed. Of rows without a key, which are found by what
  /// the target holds of them, only Usual or Error: the same value becomes the same whenever its
  /// row comes or goes, whatever the configuration says by then.
  BadValues policy(std::size_t column) const {
    return is_key_[column] ? BadValues::Error : policies_[column];
  }

  bool is_key(std::size_t column) const { return is_key_[column]; }

  /// Whether a row of these many bytes of values may be longer than the target's lines.
  bool may_be_too_long(std::size_t value_bytes) const {
    return growth_ * value_bytes + overhead_ > row_bytes_max_;
  }

  std::size_t row_bytes_max() const { return row_bytes_max_; }

 private:
  std::vector<ValueLimits> limits_;
  std::vector<char> plain_;  // no bits: it is asked for each value
  std::vector<bool> is_key_;
  std::vector<BadValues> policies_;
  std::size_t row_bytes_max_ = std::numeric_limits<std::size_t>::max();
  std::size_t overhead_ = 0;
  std::size_t growth_ = 2;  ///< a line's bytes for each of a value's, at most
};

/// Gathers what was changed in the rows of one file.
class AdjustedLog {
 public:
  AdjustedLog() = default;

  /// `key_columns` are those of the table.
  explicit AdjustedLog(std::vector<std::size_t> key_columns)
      : key_columns_(std::move(key_columns)) {}

  /// `row` may lack the key's columns, or be empty; then the key stays unknown.
  void changed(std::size_t column, const HeldValue& held, std::string_view original,
               const TupleView& row);
  void refused(const RefusedValue& value);

  AdjustedValues take() { return std::exchange(values_, {}); }

 private:
  std::string key_of(const TupleView& row) const;

  std::vector<std::size_t> key_columns_;
  AdjustedValues values_;
};

inline constexpr std::string_view kRowTooLong =
    "the longest of a row that is longer than the target reads";
inline constexpr std::string_view kBecameNull = "NULL";

}  // namespace re_dms
