#include "pipeline/table_log.h"

#include <fmt/format.h>

#include "observe/log.h"

namespace re_dms {

void log_set_aside(const SetAside& table) {
  const std::string name = to_string(table.table);
  switch (table.remedy) {
    case Remedy::Copy:
      log(LogLevel::Info, "table_waits", fmt::format("{}; the others continue", table.reason),
          {{"table", name}, {"position", table.position}});
      break;
    case Remedy::Nothing:
      log(LogLevel::Warn, "table_removed", table.reason,
          {{"table", name}, {"position", table.position}});
      break;
    case Remedy::Person:
      log(LogLevel::Error, "table_set_aside",
          fmt::format("{}. The table stays in the target as it was at {}, and the others continue",
                      table.reason, table.position),
          {{"table", name}, {"position", table.position}});
      break;
  }
}

void log_granted(const TableRecord& table) {
  const std::string name = to_string(table.name);
  switch (table.state) {
    case TableState::Waiting:
      log(LogLevel::Info, "table_waits", table.reason, {{"table", name}});
      break;
    case TableState::Paused:
      log(LogLevel::Info, "table_paused", "it stays as it is; the others continue",
          {{"table", name}, {"position", table.position}});
      break;
    case TableState::SetAside:
      log_set_aside({table.oid, table.name, table.reason, table.position});
      break;
    default:
      log(LogLevel::Info, "table_resumed", "it goes on where it stands",
          {{"table", name}, {"position", table.position}});
      break;
  }
}

}  // namespace re_dms
