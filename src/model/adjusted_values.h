// Values that were changed on their way because the target cannot hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/table_state.h"

namespace re_dms {

/// So many of the values of one file or one load are kept as examples.
inline constexpr std::size_t kAdjustedExamplesMax = 100;

/// Columns are places in the table's schema; reasons are constants, for people.
struct AdjustedValue {
  std::size_t column = 0;
  std::string_view reason;  ///< why the target cannot hold it
  std::string_view became;  ///< what is there in its place
  std::string key;          ///< of its row, the texts of the key columns; empty: there are none
  std::string original;     ///< its beginning

  bool operator==(const AdjustedValue&) const = default;
};

struct AdjustedCount {
  std::size_t column = 0;
  std::string_view reason;
  std::uint64_t values = 0;

  bool operator==(const AdjustedCount&) const = default;
};

/// A value that is not to be changed, so that its table cannot take the rows.
struct RefusedValue {
  std::size_t column = 0;
  std::string_view reason;
  bool tells_rows_apart = false;  ///< its column does, so that no policy would change it
  Remedy remedy = Remedy::Person;

  bool operator==(const RefusedValue&) const = default;
};

/// Of the rows of one file.
struct AdjustedValues {
  std::vector<AdjustedCount> counts;  ///< of all of them, one of each column and reason
  std::vector<AdjustedValue> examples;
  std::optional<RefusedValue> refused;  ///< the first

  bool operator==(const AdjustedValues&) const = default;
};

}  // namespace re_dms
