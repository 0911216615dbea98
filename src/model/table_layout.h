// How a target that spreads rows over machines lays out a table that re_dms makes there.
#pragma once

#include <string>
#include <vector>

namespace re_dms {

struct TableLayout {
  std::string diststyle{};             ///< "auto", "even" or "all"; empty: the usual one
  std::string distkey{};               ///< a column, instead of a style; empty: none is wanted
  std::vector<std::string> sortkey{};  ///< columns; empty: the usual ones

  bool operator==(const TableLayout&) const = default;
};

}  // namespace re_dms
