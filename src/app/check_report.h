// Prints what `re_dms check` found.
#pragma once

#include <ostream>
#include <vector>

#include "base/exit_code.h"
#include "model/check.h"

namespace re_dms {

/// One line per result: status, name, finding; under it the fix where there is one. Then a summary.
/// Failed when one of them failed; warnings are no failure.
ExitCode print_checks(const std::vector<CheckResult>& results, std::ostream& out);

}  // namespace re_dms
