#include "source/connection/password_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/shell_command.h"

namespace re_dms {

namespace {

[[noreturn]] void fail(std::string_view problem) {
  throw Error(ErrorKind::Transient, fmt::format("source.password_command {}", problem),
              "Run the command by hand as the daemon's user: it has to write the password as its "
              "first line and end with status 0");
}

}  // namespace

std::string run_password_command(const std::string& command, std::chrono::milliseconds patience) {
  CommandOutcome outcome = run_shell_command(command, patience);
  if (!outcome.failure.empty()) {
    fail(outcome.failure);
  }
  std::string& written = outcome.output;
  written.resize(std::min(written.size(), written.find('\n')));
  if (written.ends_with('\r')) {
    written.pop_back();
  }
  if (written.empty()) {
    fail("wrote nothing");
  }
  return written;
}

}  // namespace re_dms
