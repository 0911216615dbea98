#include "base/quantities.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace re_dms {

namespace {

using Unit = std::pair<std::string_view, std::uint64_t>;

constexpr std::array<Unit, 5> kSizeUnits = {
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}}};
constexpr std::array<Unit, 4> kDurationUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::uint64_t kYearMilliseconds = 365ULL * 24 * 3'600'000;

/// Number and unit with nothing between or around them, as a multiple of the smallest unit.
template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text,
                                            const std::array<Unit, N>& units) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, factor] : units) {
    if (text == name) {
      if (number > std::numeric_limits<std::int64_t>::max() / factor) {
        return std::nullopt;
      }
      return number * factor;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, kSizeUnits);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto number = parse_quantity(text, kDurationUnits);
  if (!number || *number > kYearMilliseconds) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(*number);
}

std::string size_text(std::uint64_t bytes) {
  std::size_t unit = 0;
  while (unit + 1 < kSizeUnits.size() && bytes >= kSizeUnits.at(unit + 1).second) {
    ++unit;
  }
  const auto [name, factor] = kSizeUnits.at(unit);
  if (bytes % factor == 0) {
    return fmt::format("{} {}", bytes / factor, name);
  }
  return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(factor), name);
}

std::string count_text(std::uint64_t count) {
  std::string text = fmt::to_string(count);
  for (std::size_t digits = 3; digits < text.size(); digits += 4) {
    text.insert(text.size() - digits, 1, ',');
  }
  return text;
}

std::string duration_text(double seconds) {
  if (!(seconds > 0)) {
    return "0 s";
  }
  if (seconds < 1) {
    return fmt::format("{:.0f} ms", seconds * 1000);
  }
  if (seconds < 10) {
    return fmt::format("{:.1f} s", seconds);
  }
  if (seconds < 60) {
    return fmt::format("{:.0f} s", seconds);
  }
  constexpr std::uint64_t kHour = 3600;
  constexpr std::uint64_t kDay = 24 * kHour;
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < kHour) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  if (whole < kDay) {
    return fmt::format("{} h {} min", whole / kHour, whole % kHour / 60);
  }
  return fmt::format("{} d {} h", whole / kDay, whole % kDay / kHour);
}

}  // namespace re_dms
