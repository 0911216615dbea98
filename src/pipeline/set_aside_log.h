// The log line of a table that is set aside: when that happens, and again at every start.
#pragma once

#include "model/batch.h"

namespace re_dms {

void log_set_aside(const SetAside& table);

}  // namespace re_dms
