#include "app/service_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/status_text.h"
#include "base/retry.h"
#include "observe/service.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kReportEvery(2000);
constexpr int kSignsOfLife = 3;  // in the time of the watchdog

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
  const auto watchdog = service_watchdog();
  const auto every =
      watchdog ? std::min(kReportEvery, std::chrono::duration_cast<std::chrono::milliseconds>(
                                            *watchdog / kSignsOfLife))
               : kReportEvery;
  ServiceReport report;
  do {
    tell_service(report.lines(status(), watchdog.has_value()));
  } while (wait_for(every, stop));
  // A short run ends between two reports.
  tell_service("STOPPING=1\n");
}

}  // namespace re_dms
