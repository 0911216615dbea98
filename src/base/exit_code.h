// What the process tells its caller; part of the public surface.
#pragma once

#include "base/error.h"

namespace re_dms {

enum class ExitCode {
  Ok = 0,
  Failed = 1,
  Usage = 2,     ///< command line or configuration
  SetAside = 3,  ///< running, or done, with tables set aside
  Refused = 4,   ///< failed, and would again until a person has decided something
};

inline ExitCode exit_code_of(const Error& error) {
  if (error.needs_a_person()) {
    return ExitCode::Refused;
  }
  return error.kind() == ErrorKind::Usage ? ExitCode::Usage : ExitCode::Failed;
}

}  // namespace re_dms
