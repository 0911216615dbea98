// The command line as a value: one plain struct per command.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/config.h"
#include "model/lsn.h"
#include "observe/log.h"

namespace re_dms {

/// The source's end of WAL when the run begins.
struct UntilNow {
  bool operator==(const UntilNow&) const = default;
};

using RunUntil = std::variant<UntilNow, Lsn>;

struct RunCommand {
  std::optional<RunUntil> until;  ///< empty: until stopped
};

struct CheckCommand {};

struct SetupCommand {};

struct TeardownCommand {
  bool confirmed = false;  ///< else it only shows what it would drop
  bool keep_journal = false;
};

struct StatusCommand {
  bool json = false;
  bool watch = false;  ///< again and again
};

/// A verb for the running daemon.
struct VerbCommand {
  std::string verb;                 ///< "resync", "pause", "resume"
  std::vector<std::string> tables;  ///< patterns
};

struct JournalInspectCommand {
  std::string directory;
  bool json = false;
};

struct DemoCommand {
  std::vector<std::string> words;  ///< for the demonstration's program
};

/// Prints a text and ends: help.
struct HelpCommand {
  std::string text;
};

struct VersionCommand {};

using Command =
    std::variant<RunCommand, CheckCommand, SetupCommand, TeardownCommand, StatusCommand,
                 VerbCommand, JournalInspectCommand, DemoCommand, HelpCommand, VersionCommand>;

struct Arguments {
  Command command;
  std::string config_path{kDefaultConfigPath};
  LogLevel log_level = LogLevel::Info;
};

/// `arguments` without the program's name. Throws Error of kind Usage.
Arguments parse_arguments(const std::vector<std::string>& arguments);

}  // namespace re_dms
