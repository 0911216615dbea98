// Sizes and durations: as the configuration file writes them, and as the status page shows them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace re_dms {

/// What parse_size and parse_duration take, for error messages.
inline constexpr std::string_view kSizeForm =
    R"(a whole number with B, KiB, MiB, GiB or TiB, such as "512MiB")";
inline constexpr std::string_view kDurationForm =
    R"(a whole number with ms, s, m or h, such as "500ms" or "10s")";

/// "512MiB" → bytes; empty when the text is no size or does not fit.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "10s" → 10'000 ms; empty when the text is no duration or is longer than a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "1.2 GiB", "512 MiB", "17 B".
std::string size_text(std::uint64_t bytes);

/// "1,234,567".
std::string count_text(std::uint64_t count);

/// The two largest units: "3 h 12 min", "4.2 s", "2 d 1 h"; negative durations read as "0 s".
std::string duration_text(double seconds);

}  // namespace re_dms
