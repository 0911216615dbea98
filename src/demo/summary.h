// The demo's last words, as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "demo/comparison.h"

namespace re_dms::demo {

/// Aligned columns under their names; columns of numbers stand at the right.
std::string text_table(const std::vector<std::string>& columns, const std::vector<TextRow>& rows);

/// "1 batch", "1,234 batches".
std::string batches_text(std::uint64_t count);

/// Rows per table on both sides and the verdict, then the differences, if any.
std::string comparison_text(const std::vector<TableComparison>& tables);

/// What happened, in figures.
struct DemoFigures {
  std::uint64_t rows_before = 0;  ///< that were there when the daemon came
  double copy_seconds = 0;        ///< until all tables were live
  std::uint64_t source_transactions = 0;
  std::uint64_t source_rows_changed = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t rows_loaded = 0;
  std::uint64_t staged_bytes = 0;
  double traffic_seconds = 0;
  double drain_seconds = 0;  ///< from the end of the traffic until everything was loaded
};

std::string figures_text(const DemoFigures& figures);

/// What a person may type next.
struct Suggestion {
  std::string command;
  std::string purpose;
};

std::string suggestions_text(const std::vector<Suggestion>& suggestions);

}  // namespace re_dms::demo
