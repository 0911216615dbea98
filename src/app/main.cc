// Reads the command line, runs the command. The one place besides the pipeline's threads where
// errors are caught.
#include <fmt/format.h>
#include <signal.h>

#include <exception>
#include <string>
#include <vector>

#include "app/arguments.h"
#include "app/commands.h"
#include "base/error.h"
#include "base/exit_code.h"

int main(int count, char** words) {
  using re_dms::Error;
  using re_dms::ExitCode;
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const std::vector<std::string> arguments(words + 1, words + count);
    return static_cast<int>(re_dms::execute(re_dms::parse_arguments(arguments)));
  } catch (const Error& error) {
    fmt::print(stderr, "re_dms: {}\n", error.what());
    return static_cast<int>(re_dms::exit_code_of(error));
  } catch (const std::exception& unexpected) {
    fmt::print(stderr, "re_dms: unexpected: {}\n", unexpected.what());
    return static_cast<int>(ExitCode::Failed);
  }
}
