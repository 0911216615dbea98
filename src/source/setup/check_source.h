// What `re_dms check` says of the source. Looks, and changes nothing.
#pragma once

#include <optional>
#include <vector>

#include "model/check.h"
#include "model/origin.h"
#include "source/settings.h"

namespace re_dms {

/// One result per fact, in a fixed order. A source that cannot be reached gives one failed result;
/// never throws for what it finds.
/// `journal` is the origin of the journal that goes on, empty before a first start.
std::vector<CheckResult> check_source(const SourceSettings& settings,
                                      const std::optional<Origin>& journal);

}  // namespace re_dms
