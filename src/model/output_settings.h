// The session settings that decide how the server writes values as text.
#pragma once

#include <array>
#include <string_view>

namespace re_dms {

struct OutputSetting {
  std::string_view name;
  std::string_view value;
};

/// Stream and copy both pin these, and every journal segment records them: a value has one text. An
/// unpinned one follows the role, the database and even a SIGHUP in a running stream.
inline constexpr std::array kOutputSettings = {
    OutputSetting{"client_encoding", "UTF8"},
    OutputSetting{"datestyle", "ISO"},
    OutputSetting{"intervalstyle", "postgres"},
    OutputSetting{"extra_float_digits", "3"},
    OutputSetting{"bytea_output", "hex"},
    OutputSetting{"timezone", "UTC"},
    OutputSetting{"lc_monetary", "C"},
    OutputSetting{"search_path", "pg_catalog"},
    OutputSetting{"quote_all_identifiers", "off"},
};

}  // namespace re_dms
