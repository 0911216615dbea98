// Where the warehouse file is, from its URL.
#pragma once

#include <string>
#include <string_view>

namespace re_dms::duckdb {

/// The path in duckdb:///absolute/path. Throws Usage when there is none, or when the file's name
/// makes names in it ambiguous for the people who query it.
std::string file_of(std::string_view url);

}  // namespace re_dms::duckdb
