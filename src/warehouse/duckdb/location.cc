#include "warehouse/duckdb/location.h"

#include <fmt/format.h>
#include <strings.h>

#include <filesystem>

#include "base/error.h"

namespace re_dms::duckdb {

namespace {

constexpr std::string_view kScheme = "duckdb://";
constexpr int kLinksMax = 40;  // as the kernel has it

/// The file that a link leads to, there or not: the file is removed, renamed into place and synced
/// by its directory, and none of this follows links.
std::string behind_links(std::filesystem::path path) {
  std::error_code ignored;
  for (int links = 0; links < kLinksMax && std::filesystem::is_symlink(path, ignored); ++links) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return path.string();
}

}  // namespace

std::string file_of(std::string_view url) {
  const std::string named(url.substr(kScheme.size()));
  if (named.empty() || named.front() != '/' || named.back() == '/') {
    throw Error(ErrorKind::Usage, fmt::format("warehouse.url {} names no file", url),
                "Write duckdb:///absolute/path/of/the/file.duckdb");
  }
  const std::string path = behind_links(named);
  // DuckDB calls an open file by the name before its first dot.
  const std::string file = std::filesystem::path(path).filename().string();
  const std::string catalog = file.substr(0, file.find('.'));
  for (const char* taken : {"re_dms", "re_dms_internal", "temp", "system", ""}) {
    if (::strcasecmp(catalog.c_str(), taken) == 0) {
      throw Error(ErrorKind::Usage,
                  fmt::format("the warehouse file cannot be called {}: \"{}\" would then name both "
                              "the file and something in it",
                              file, catalog),
                  "Choose another name, such as warehouse.duckdb");
    }
  }
  return path;
}

}  // namespace re_dms::duckdb
