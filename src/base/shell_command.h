// What other programs know: vaults, the short-lived tokens of a cloud.
#pragma once

#include <chrono>
#include <string>

namespace re_dms {

struct CommandOutcome {
  std::string output;   ///< of standard output; often a secret
  std::string failure;  ///< "ended with status 1", without any output; empty: none
};

/// Runs `command` in /bin/sh and waits at most `patience`, then ends it with all it has started.
CommandOutcome run_shell_command(const std::string& command, std::chrono::milliseconds patience);

}  // namespace re_dms
