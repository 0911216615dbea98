// Whether both sides hold the same: every row and every value of every table, read by plain SQL on
// either side and nothing of the daemon in between.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "demo/sql_session.h"

namespace re_dms::demo {

struct TableComparison {
  std::string table;
  std::uint64_t source_rows = 0;
  std::uint64_t target_rows = 0;
  std::uint64_t values = 0;           ///< compared
  std::uint64_t different_rows = 0;   ///< missing, surplus, or with another value
  std::vector<std::string> examples;  ///< the first few differences, for people

  bool equal() const { return different_rows == 0 && examples.empty(); }
};

/// A table of the demo; `key` is one column of an integer type.
struct ComparedTable {
  std::string name;
  std::string key;
};

/// Answers one SELECT on the target.
using TargetQuery = std::function<std::vector<TextRow>(const std::string& sql)>;

/// Compares one table of schema public in pieces that fit into memory; `between` is called after
/// each. Both sides are at rest meanwhile.
TableComparison compare_table(SqlSession& source, const TargetQuery& target,
                              const ComparedTable& table, const std::function<void()>& between);

}  // namespace re_dms::demo
