// A table as the target knows it becomes one as the process knows it.
#pragma once

#include "tables/table_states.h"
#include "warehouse/warehouse.h"

namespace re_dms {

TableRecord record_of(const TargetTable& table);

}  // namespace re_dms
