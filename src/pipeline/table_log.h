// The log lines of tables that leave the live ones or come back to them.
#pragma once

#include "model/batch.h"
#include "tables/table_states.h"

namespace re_dms {

/// When it is set aside, and again at every start.
void log_set_aside(const SetAside& table);

/// What somebody asked for is done.
void log_granted(const TableRecord& table);

}  // namespace re_dms
