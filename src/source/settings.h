// How to reach the source and what to replicate of it: the [source] section of the configuration.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace re_dms {

struct SourceSettings {
  std::string url;               ///< libpq URL or conninfo
  std::string password_command;  ///< run at each connect; empty: none
  std::string slot = "re_dms";
  std::string publication = "re_dms";
  std::vector<std::string> include = {"public.*"};
  std::vector<std::string> exclude;
  bool auto_setup = true;
  std::chrono::milliseconds lock_timeout{5000};
};

}  // namespace re_dms
