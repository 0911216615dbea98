// The [[table]] sections of the configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config_reader.h"
#include "source/settings.h"

namespace re_dms {

/// Notes a fault unless the text is a table pattern.
void check_pattern(ConfigReader& reader, std::string_view key, const std::string& pattern);

/// In their order; faults are noted.
std::vector<TableSettings> read_tables(ConfigReader& reader);

/// Notes what no other target than Redshift has.
void refuse_layouts(ConfigReader& reader, const std::vector<TableSettings>& tables);

}  // namespace re_dms
