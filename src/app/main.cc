// Blocks the signals that the run command awaits, reads the command line, runs the command. The one
// place besides the pipeline's threads where errors are caught.
#include <fmt/format.h>
#include <signal.h>

#include <exception>
#include <string>
#include <vector>

#include "app/arguments.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "base/error.h"

namespace {

/// Threads inherit the mask: only the thread that waits for a signal ever sees one.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int count, char** words) {
  using re_dms::Error;
  using re_dms::ExitCode;
  block_signals();
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
