// The part of /status.json that copies have.
#pragma once

#include <vector>

#include "observe/copy_status.h"
#include "observe/json_fields.h"

namespace re_dms {

OrderedJson coming_json(const std::vector<ComingTable>& coming);
OrderedJson copies_json(const CopiesStatus& copies);

/// From the object "tables".
std::vector<ComingTable> take_coming(const OrderedJson& tables);
CopiesStatus take_copies(const OrderedJson& tables);

}  // namespace re_dms
