// The error a step of a test ends with.
#pragma once

#include "base/error.h"

namespace re_dms {

template <typename F>
Error error_of(F step) {
  try {
    step();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::Usage, "nothing was thrown"};
}

}  // namespace re_dms
