// golden [--update] CASE: plays the recorded stream of one folder and compares what comes of it
// with the folder's expected files, or writes them anew.
#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"
#include "outcome.h"

namespace {

using re_dms::Expected;

constexpr std::pair<const char*, std::string Expected::*> kFiles[] = {
    {"expected.txt", &Expected::txt},
    {"expected.csv", &Expected::csv},
    {"expected.sql", &Expected::sql},
};

std::string content_of(const std::filesystem::path& path) {
  return re_dms::read_file(re_dms::real_file_system(), path.string());
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Prints the first line in which two texts differ; false when there is none.
bool show_difference(std::string_view name, std::string_view expected, std::string_view actual) {
  if (expected == actual) {
    return false;
  }
  std::size_t number = 0;
  std::string_view wanted;
  std::string_view found;
  do {
    ++number;
    wanted = take_line(expected);
    found = take_line(actual);
  } while (wanted == found && !(expected.empty() && actual.empty()));
  fmt::print("{}:{}: expected\n  {}\nfound\n  {}\n", name, number, wanted, found);
  return true;
}

int compare(const std::filesystem::path& directory, const Expected& outcome) {
  bool differs = false;
  for (const auto& [name, member] : kFiles) {
    const std::string path = (directory / name).string();
    differs = show_difference(path, content_of(path), outcome.*member) || differs;
  }
  if (differs) {
    fmt::print("If this is what should be: golden --update {}, and look at the difference.\n",
               directory.string());
  }
  return differs ? 1 : 0;
}

int update(const std::filesystem::path& directory, const Expected& outcome) {
  for (const auto& [name, member] : kFiles) {
    std::ofstream file(directory / name, std::ios::binary);
    file << outcome.*member;
    file.close();
    if (!file) {
      fmt::print(stderr, "cannot write {}\n", (directory / name).string());
      return 1;
    }
  }
  return 0;
}

int run(const std::filesystem::path& directory, bool updating) {
  const auto stream = re_dms::parse_stream(content_of(directory / "stream.journal"));
  const Expected outcome = re_dms::play(stream);
  if (outcome != re_dms::play(stream)) {
    fmt::print("{}: played twice, it came out differently\n", directory.string());
    return 1;
  }
  return updating ? update(directory, outcome) : compare(directory, outcome);
}

}  // namespace

int main(int count, char** arguments) {
  const bool updating = count == 3 && std::string_view(arguments[1]) == "--update";
  if (count != 2 && !updating) {
    fmt::print(stderr, "usage: golden [--update] CASE\n");
    return 2;
  }
  try {
    return run(arguments[count - 1], updating);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", arguments[count - 1], error.what());
    return 1;
  }
}
