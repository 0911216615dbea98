#include "base/environment.h"

#include <cstdlib>
#include <map>

namespace re_dms {

namespace {

/// Changed before the first thread only.
std::map<std::string, std::string>& taken() {
  static std::map<std::string, std::string> variables;
  return variables;
}

}  // namespace

void take_variables(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const char* const value = std::getenv(name.c_str())) {
      taken()[name] = value;
      ::unsetenv(name.c_str());
    }
  }
}

std::optional<std::string> environment_variable(const std::string& name) {
  if (const auto found = taken().find(name); found != taken().end()) {
    return found->second;
  }
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace re_dms
