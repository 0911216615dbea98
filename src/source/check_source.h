// What `re_dms check` says of the source. Looks, and changes nothing.
#pragma once

#include <vector>

#include "model/check.h"
#include "source/source.h"

namespace re_dms {

/// One result per fact, in a fixed order. A source that cannot be reached gives one failed result;
/// never throws for what it finds.
std::vector<CheckResult> check_source(const SourceSettings& settings);

}  // namespace re_dms
