// Tables on their way and how long they still take, for people.
#pragma once

#include <string>

#include "observe/status.h"

namespace re_dms {

/// A list with a bar for each table and one for all; empty when none is on its way. At most twenty
/// tables, those at work first.
std::string copies_text(const TablesStatus& tables);

/// The same in one line: "2 waiting, 1 copying, 3 live; 1.2 GiB of about 4 GiB (30 %), 25 MiB/s,
/// 82,000 rows/s, about 2 min 3 s left".
std::string copies_line(const CopiesStatus& copies);

}  // namespace re_dms
