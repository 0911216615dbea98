#include "app/service_report.h"

#include <fmt/format.h>

#include <chrono>

#include "app/status_text.h"
#include "base/retry.h"
#include "observe/service.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kReportEvery(2);

}  // namespace

std::string service_text(const DaemonStatus& status) {
  std::string text = state_text(status);
  if (status.state == DaemonState::Starting) {
    return text;
  }
  return fmt::format("{}, {}; tables: {}", text, lag_text(status.lag), tables_text(status.tables));
}

std::string ServiceReport::lines(const DaemonStatus& status, bool watchdog) {
  std::string lines;
  if (!ready_ && status.state != DaemonState::Starting) {
    ready_ = true;
    lines += "READY=1\n";
  }
  if (status.state == DaemonState::Stopping) {
    lines += "STOPPING=1\n";
  }
  if (watchdog) {
    lines += "WATCHDOG=1\n";
  }
  return lines + service_status_line(service_text(status));
}

void report_to_service(const std::function<DaemonStatus()>& status, const std::stop_token& stop) {
  if (!service_is_watched()) {
    return;
  }
  const bool watchdog = service_has_watchdog();
  ServiceReport report;
  do {
    tell_service(report.lines(status(), watchdog));
  } while (wait_for(kReportEvery, stop));
  // A short run ends between two reports.
  tell_service("STOPPING=1\n");
}

}  // namespace re_dms
