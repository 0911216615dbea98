// Reading a target as its users do; for the demo and for people's questions, never on the row path.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace re_dms {

struct TargetRows {
  /// Every value as the engine's text; empty: NULL.
  std::vector<std::vector<std::optional<std::string>>> rows;
};

/// Opens the target read-only, runs one SELECT and closes it again. Throws Transient when it is
/// busy, Table when the statement is refused. In a process that also loads into the target it must
/// not be called: one object owns the file.
TargetRows query_warehouse(const std::string& url, const std::string& select);

}  // namespace re_dms
