#include "pipeline/clean_up.h"

#include <fmt/format.h>

#include "base/error.h"
#include "observe/log.h"

namespace re_dms {

void clean_up(std::string_view what, const std::function<void()>& removal) {
  try {
    removal();
  } catch (const Error& error) {
    log(LogLevel::Warn, "stage_not_cleaned",
        fmt::format("{} stay on the stage until the next start: {}", what, error.message()), {});
  }
}

}  // namespace re_dms
