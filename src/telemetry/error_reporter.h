// Takes warnings and errors from the log and reports them, from a thread of its own: whoever logs
// hands over a copy in memory, and whatever disk or service do costs the daemon nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/retry.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "telemetry/report_service.h"
#include "telemetry/report_spool.h"
#include "telemetry/scrub.h"

namespace re_dms {

struct ErrorReporterSettings {
  std::string spool;  ///< directory; each service has one of its own in it
  std::unique_ptr<DirectoryLock> lock{};  ///< keeps another process out of it
  LogLevel least = LogLevel::Warn;
  ScrubRules scrub{};
  ReportLimits limits{};
  RetryPolicy retry = retry_policy();
};

/// Listens to the log from construction to destruction. One for each service. Destroyed after all
/// threads that log.
class ErrorReporter final : public LogListener {
 public:
  /// `files` and `metrics` outlive it.
  ErrorReporter(ErrorReporterSettings settings,
                std::vector<std::unique_ptr<ReportService>> services, FileSystem& files,
                Metrics& metrics);
  ~ErrorReporter() override;
  ErrorReporter(const ErrorReporter&) = delete;
  ErrorReporter& operator=(const ErrorReporter&) = delete;

  void logged(LogLevel level, std::string_view event, std::string_view message,
              std::initializer_list<LogField> fields) override;

  /// A report that no log line made: of the crash of an earlier process.
  void add(const ErrorReport& report);

  /// Waits until all that was handed in is on the disk and sent, at most for `patience`; what is on
  /// the disk is sent by the next start.
  void flush(std::chrono::milliseconds patience);

 private:
  /// A service with its thread and what waits for it.
  struct Desk {
    std::unique_ptr<ReportService> service;
    std::deque<ErrorReport> incoming;
    bool busy = true;  ///< something is being stored or waits on the disk to be sent
    std::jthread thread;
  };

  void run(Desk& desk, const std::stop_token& stop);
  void store_incoming(Desk& desk, ReportSpool& spool);
  bool send_next(Desk& desk, ReportSpool& spool, const std::stop_token& stop);
  void count(std::string_view outcome);

  ErrorReporterSettings settings_;
  FileSystem& files_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::unique_ptr<Desk>> desks_;
};

}  // namespace re_dms
