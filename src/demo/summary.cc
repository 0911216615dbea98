#include "demo/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/quantities.h"

namespace re_dms::demo {

namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-") == std::string::npos;
}

std::string cell(const std::optional<std::string>& value) {
  return value.value_or("NULL");
}

std::string without_trailing_blanks(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string verdict_text(const TableComparison& table) {
  if (table.equal()) {
    return "equal";
  }
  return table.different_rows == 0
             ? "DIFFERENT"
             : fmt::format("DIFFERENT in {} rows", count_text(table.different_rows));
}

}  // namespace

std::string text_table(const std::vector<std::string>& columns, const std::vector<TextRow>& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> numbers;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t width = columns[i].size();
    bool all_numbers = true;
    for (const TextRow& row : rows) {
      width = std::max(width, cell(row[i]).size());
      all_numbers = all_numbers && (!row[i].has_value() || is_number(cell(row[i])));
    }
    widths.push_back(width);
    numbers.push_back(all_numbers);
  }
  const auto line = [&](const auto& text_of) {
    std::string text = " ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      text += numbers[i] ? fmt::format(" {:>{}} ", text_of(i), widths[i])
                         : fmt::format(" {:<{}} ", text_of(i), widths[i]);
    }
    return without_trailing_blanks(text) + "\n";
  };
  std::string text = line([&](std::size_t i) { return columns[i]; });
  text += line([&](std::size_t i) { return std::string(widths[i], '-'); });
  for (const TextRow& row : rows) {
    text += line([&](std::size_t i) { return cell(row[i]); });
  }
  return text;
}

std::string batches_text(std::uint64_t count) {
  return fmt::format("{} {}", count_text(count), count == 1 ? "batch" : "batches");
}

std::string comparison_text(const std::vector<TableComparison>& tables) {
  std::vector<TextRow> rows;
  std::string differences;
  for (const TableComparison& table : tables) {
    const std::string verdict = verdict_text(table);
    rows.push_back({table.table, count_text(table.source_rows), count_text(table.target_rows),
                    count_text(table.values), verdict});
    for (const std::string& example : table.examples) {
      differences += fmt::format("  {}: {}\n", table.table, example);
    }
  }
  std::string text = text_table({"table", "PostgreSQL", "DuckDB", "values compared", ""}, rows);
  if (!differences.empty()) {
    text += "\nThe first differences of each table:\n" + differences;
  }
  return text;
}

std::string figures_text(const DemoFigures& figures) {
  std::string text =
      fmt::format("  the copy     {} rows that were there before, live after {}\n",
                  count_text(figures.rows_before), duration_text(figures.copy_seconds));
  text += fmt::format(
      "  PostgreSQL   {} row changes in {} transactions, {} of WAL, {} of live traffic\n",
      count_text(figures.source_rows_changed), count_text(figures.source_transactions),
      size_text(figures.wal_bytes), duration_text(figures.traffic_seconds));
  text += fmt::format(
      "  re_dms       {} rows copied, or changed after folding, in {}, {} of gzipped CSV\n",
      count_text(figures.rows_loaded), batches_text(figures.batches),
      size_text(figures.staged_bytes));
  text += fmt::format("  the end      everything loaded {} after the last change\n",
                      duration_text(figures.drain_seconds));
  return text;
}

std::string suggestions_text(const std::vector<Suggestion>& suggestions) {
  std::string text = "Next:";
  for (const auto& [command, purpose] : suggestions) {
    text += fmt::format("\n  {:<32}  {}", purpose, command);
  }
  return text;
}

}  // namespace re_dms::demo
