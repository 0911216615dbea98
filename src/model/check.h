// One line of `re_dms check`: what was looked at, what was found, what a person can do.
#pragma once

#include <string>

namespace re_dms {

struct CheckResult {
  enum class Status { Ok, Warn, Fail };

  Status status = Status::Ok;
  std::string name;     ///< a few words, fixed: "wal_level"
  std::string finding;  ///< what is the case
  std::string fix;      ///< what to do; empty when status is Ok

  bool operator==(const CheckResult&) const = default;
};

}  // namespace re_dms
