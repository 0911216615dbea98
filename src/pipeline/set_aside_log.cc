#include "pipeline/set_aside_log.h"

#include <fmt/format.h>

#include "observe/log.h"

namespace re_dms {

void log_set_aside(const SetAside& table) {
  log(LogLevel::Error, "table_set_aside",
      fmt::format(
          "{}. The table stays in the target as it was at {}, and the others continue; this "
          "version cannot copy it again",
          table.reason, table.position),
      {{"table", to_string(table.table)}, {"position", table.position}});
}

}  // namespace re_dms
