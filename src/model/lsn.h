// A position in PostgreSQL's WAL.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace re_dms {

/// 64-bit byte position in the WAL of one PostgreSQL cluster and timeline. Text ("16/B374D848")
/// exists at the edges only; warehouses store the number.
struct Lsn {
  std::uint64_t value = 0;

  auto operator<=>(const Lsn&) const = default;

  /// 0/0 means "not known" everywhere.
  bool known() const { return value != 0; }

  /// Reads "X/Y" in hex; empty when the text is not an LSN.
  static std::optional<Lsn> parse(std::string_view text);
};

/// "X/Y" in upper-case hex as PostgreSQL writes pg_lsn.
std::string to_string(Lsn lsn);

}  // namespace re_dms

template <>
struct fmt::formatter<re_dms::Lsn> : fmt::formatter<std::string_view> {
  auto format(re_dms::Lsn lsn, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(re_dms::to_string(lsn), context);
  }
};
