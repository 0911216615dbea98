// Reports that wait to be sent, in a directory of their own: they outlive the process and outages
// of the service. Bounded; belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "telemetry/error_report.h"

namespace re_dms {

/// What is reported at most.
struct ReportLimits {
  std::chrono::seconds again{3600};  ///< errors that are alike are reported this often
  int each_hour = 60;                ///< reports of all kinds
  std::size_t waiting = 200;         ///< reports on disk; beyond that, new ones are dropped
};

class ReportSpool {
 public:
  /// Makes the directory. `files` outlives it.
  ReportSpool(FileSystem& files, std::string directory, ReportLimits limits);

  enum class Taken { New, Alike, Dropped };

  /// Stores a report durably, unless one like it came within limits.again (then that one's next
  /// report counts it) or a bound is reached.
  Taken add(ErrorReport report);

  /// The oldest; a file that is no report is removed.
  std::optional<ErrorReport> next();

  /// The service has it, or refuses it for good.
  void done(const ErrorReport& report);

 private:
  struct Known {
    std::int64_t reported_at = 0;
    std::uint64_t since = 0;  ///< alike, not reported yet
  };

  void load_known();
  void store_known();
  void forget_old(std::int64_t now);
  std::string path_of(const ErrorReport& report) const;

  FileSystem& files_;
  std::string directory_;
  ReportLimits limits_;
  std::map<std::string, Known> known_;  ///< by fingerprint
  std::int64_t hour_began_ = 0;
  int in_hour_ = 0;
};

}  // namespace re_dms
