// The session settings that every connection to the source pins, and then proves to be in force.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace re_dms {

struct OutputSetting {
  std::string_view name;
  std::string_view value;
};

/// A setting that is not pinned follows the role, the database and even a SIGHUP in a running
/// stream. The first ones decide how the server writes values as text; the others could end or
/// falsify our own statements: row_security=off turns a policy that would hide rows into an error.
inline constexpr std::array kPinnedSettings = {
    OutputSetting{"client_encoding", "UTF8"},
    OutputSetting{"datestyle", "ISO"},
    OutputSetting{"intervalstyle", "postgres"},
    OutputSetting{"extra_float_digits", "3"},
    OutputSetting{"bytea_output", "hex"},
    OutputSetting{"timezone", "UTC"},
    OutputSetting{"lc_monetary", "C"},
    OutputSetting{"search_path", "pg_catalog"},
    OutputSetting{"quote_all_identifiers", "off"},
    OutputSetting{"standard_conforming_strings", "on"},
    OutputSetting{"row_security", "off"},
    OutputSetting{"default_transaction_read_only", "off"},
    OutputSetting{"statement_timeout", "0"},
    OutputSetting{"lock_timeout", "0"},
    OutputSetting{"idle_in_transaction_session_timeout", "0"},
    OutputSetting{"idle_session_timeout", "0"},
    OutputSetting{"client_min_messages", "warning"},
    OutputSetting{"jit", "off"},
};

/// Those that decide how values look: stream and copy write a value as one text, and every journal
/// segment records them.
inline constexpr auto kOutputSettings = std::span(kPinnedSettings).first<9>();
static_assert(kOutputSettings.back().name == "quote_all_identifiers");

/// Whether the server shows the setting as in force. The server appends the order in which input is
/// read to the date style ("ISO, MDY"); it says nothing about output.
constexpr bool in_force(const OutputSetting& setting, std::string_view shown) {
  return shown == setting.value || (setting.name == "datestyle" && shown.starts_with("ISO, "));
}

}  // namespace re_dms
