#include "observe/copies_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/quantities.h"

namespace re_dms {

namespace {

constexpr std::size_t kShown = 20;
constexpr std::size_t kBarWidth = 20;

/// Whole percent, 100 only when all is done.
std::uint64_t percent(std::uint64_t done, std::uint64_t all) {
  return static_cast<std::uint64_t>(100 * static_cast<double>(std::min(done, all)) /
                                    static_cast<double>(all));
}

/// "[##########----------]  50 %"; as many blanks where nothing can be said.
std::string bar(std::uint64_t done, std::uint64_t all) {
  if (all == 0) {
    return std::string(kBarWidth + 8, ' ');
  }
  const std::uint64_t share = percent(done, all);
  const std::size_t filled = share * kBarWidth / 100;
  return fmt::format("[{}{}] {:>3} %", std::string(filled, '#'),
                     std::string(kBarWidth - filled, '-'), share);
}

std::string rounded(double number) {
  return count_text(static_cast<std::uint64_t>(std::llround(number)));
}

void add(std::string& text, std::string_view part) {
  text += text.empty() ? "" : ", ";
  text += part;
}

void add_time_left(std::string& text, const PaceStatus& pace) {
  constexpr double kSoon = 10;
  if (pace.seconds_left) {
    add(text, *pace.seconds_left < kSoon
                  ? "a few seconds left"
                  : fmt::format("about {} left", duration_text(*pace.seconds_left)));
  }
}

void add_pace(std::string& text, const PaceStatus& pace) {
  if (pace.bytes_per_second) {
    add(text, size_text(static_cast<std::uint64_t>(*pace.bytes_per_second)) + "/s");
  }
  if (pace.rows_per_second) {
    add(text, rounded(*pace.rows_per_second) + " rows/s");
  }
  add_time_left(text, pace);
}

/// "copying, 1,200 of about 5,000 rows, 12 MiB/s, 4,000 rows/s, about 1 min 2 s left".
std::string copying_text(const ComingTable& table) {
  std::string text = "copying";
  if (table.rows > 0) {
    add(text, table.rows_estimated > table.rows
                  ? fmt::format("{} of about {} rows", count_text(table.rows),
                                count_text(table.rows_estimated))
                  : fmt::format("{} rows", count_text(table.rows)));
  }
  add_pace(text, table.pace);
  return text;
}

/// "catching up, 120 MiB of the journal left, 12 MiB/s less, about 10 s left".
std::string catching_up_text(const ComingTable& table) {
  std::string text = "catching up";
  if (table.journal_bytes_left) {
    add(text, fmt::format("{} of the journal left", size_text(*table.journal_bytes_left)));
  }
  if (table.pace.bytes_per_second) {
    add(text, fmt::format("{}/s less",
                          size_text(static_cast<std::uint64_t>(*table.pace.bytes_per_second))));
  }
  add_time_left(text, table.pace);
  return text;
}

std::string table_text(const ComingTable& table) {
  std::string text = table.state;
  if (table.state == "copying") {
    text = copying_text(table);
  } else if (table.state == "catching up") {
    text = catching_up_text(table);
  } else if (table.bytes_estimated > 0) {
    add(text, size_text(table.bytes_estimated));
  }
  // Why it is copied matters until it is.
  const bool waits = table.state == "waiting" || (table.state == "copying" && table.rows == 0);
  return waits && !table.reason.empty() ? fmt::format("{}: {}", text, table.reason) : text;
}

std::string table_bar(const ComingTable& table) {
  return table.state == "copying" ? bar(table.bytes, table.bytes_estimated) : bar(0, 0);
}

/// "2 waiting, 1 copying, 3 live".
std::string counts_text(const CopiesStatus& copies) {
  std::string text;
  const auto count = [&text](std::uint64_t tables, std::string_view state) {
    if (tables > 0) {
      add(text, fmt::format("{} {}", count_text(tables), state));
    }
  };
  count(copies.waiting, "waiting");
  count(copies.copying, "copying");
  count(copies.catching_up, "catching up");
  count(copies.live, "live");
  return text;
}

/// "1.2 GiB of about 4 GiB (30 %), 25 MiB/s, 82,000 rows/s, about 2 min 3 s left".
std::string amounts_text(const CopiesStatus& copies) {
  std::string text;
  if (copies.bytes_estimated > 0) {
    text = fmt::format("{} of about {} ({} %)", size_text(copies.bytes),
                       size_text(copies.bytes_estimated),
                       percent(copies.bytes, copies.bytes_estimated));
  }
  if (copies.catching_up > 0) {
    add(text, fmt::format("{} of the journal left", size_text(copies.journal_bytes_left)));
  }
  add_pace(text, copies.pace);
  return text;
}

}  // namespace

std::string copies_text(const TablesStatus& tables) {
  if (tables.coming.empty()) {
    return {};
  }
  std::vector<ComingTable> coming = tables.coming;
  std::ranges::stable_partition(coming,
                                [](const ComingTable& table) { return table.state != "waiting"; });
  const std::size_t shown = std::min(kShown, coming.size());
  std::size_t width = 3;
  for (std::size_t i = 0; i < shown; ++i) {
    width = std::max(width, coming[i].table.size());
  }
  std::string text = "\nOn their way: copied, and then followed like the live ones\n";
  if (const CopiesStatus& copies = tables.copies; copies.since) {
    text += fmt::format("  {:<{}}  {}  {} since {:.8} UTC\n", "all", width,
                        bar(copies.bytes, copies.bytes_estimated), counts_text(copies),
                        to_text(*copies.since).substr(11));
    if (const std::string amounts = amounts_text(copies); !amounts.empty()) {
      text += fmt::format("  {:<{}}  {}  {}\n", "", width, bar(0, 0), amounts);
    }
  }
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("  {:<{}}  {}  {}\n", coming[i].table, width, table_bar(coming[i]),
                        table_text(coming[i]));
  }
  if (shown < coming.size()) {
    text += fmt::format("  … and {} more\n", count_text(coming.size() - shown));
  }
  return text;
}

std::string copies_line(const CopiesStatus& copies) {
  const std::string amounts = amounts_text(copies);
  return amounts.empty() ? counts_text(copies)
                         : fmt::format("{}; {}", counts_text(copies), amounts);
}

}  // namespace re_dms
