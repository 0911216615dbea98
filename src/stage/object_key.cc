#include "stage/object_key.h"

#include <fmt/format.h>

#include "base/error.h"

namespace re_dms {

bool is_key_beginning(std::string_view name) {
  std::string_view rest = name;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != part.npos) {
      return false;
    }
    rest.remove_prefix(slash == rest.npos ? rest.size() : slash + 1);
  }
  return true;
}

bool is_key(std::string_view name) {
  return !name.empty() && name.back() != '/' && is_key_beginning(name);
}

void check_key_beginning(std::string_view name) {
  if (!is_key_beginning(name)) {
    throw Error(ErrorKind::Fatal,
                fmt::format("\"{}\" is not a valid name for a staged object", name));
  }
}

void check_key(std::string_view key) {
  if (!is_key(key)) {
    throw Error(ErrorKind::Fatal, fmt::format("\"{}\" is not a valid key of a staged object", key));
  }
}

}  // namespace re_dms
