// Passwords that another program knows: a vault, a cloud's short-lived tokens.
#pragma once

#include <chrono>
#include <string>

namespace re_dms {

/// Runs `command` in /bin/sh and returns the first line it writes. Waits at most `patience`, then
/// ends it. Throws Transient when it fails, is silent or too slow (the vault may come back); the
/// text never holds what the command wrote.
std::string run_password_command(const std::string& command,
                                 std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace re_dms
