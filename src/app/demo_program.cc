#include "app/demo_program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace re_dms {

namespace {

constexpr const char* kName = "re_dms_demo";

std::filesystem::path find_demo(const std::filesystem::path& program) {
  const std::filesystem::path folder = program.parent_path();
  const std::filesystem::path installed = folder.parent_path() / "libexec" / "re_dms" / kName;
  for (const std::filesystem::path& place : {folder / kName, installed}) {
    if (std::filesystem::exists(place)) {
      return place;
    }
  }
  throw Error(ErrorKind::Usage,
              fmt::format("the demonstration is not installed: there is no {}", installed.string()),
              "`make demo` in a checkout of re_dms builds and runs it");
}

}  // namespace

void start_demo(const std::vector<std::string>& words) {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string demo = find_demo(program).string();
  std::vector<std::string> command = {demo, "--program", program.string()};
  command.insert(command.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : command) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  ::execv(demo.c_str(), pointers.data());
  throw Error(ErrorKind::Usage, fmt::format("cannot start {}: {}", demo, std::strerror(errno)));
}

}  // namespace re_dms
