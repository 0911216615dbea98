// Tells systemd how the run is: that it is ready, what it does in a line (`systemctl status` shows
// it), that it stops, and, as a watchdog wants it, that it lives.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "observe/status.h"

namespace re_dms {

/// "streaming, 4.2 s behind, 118 KiB of WAL; tables: 12 live, 1 set aside"
std::string service_text(const DaemonStatus& status);

class ServiceReport {
 public:
  /// The lines to tell now. READY once the run has got somewhere: it streams, or it says what it
  /// waits for and tries again by itself.
  std::string lines(const DaemonStatus& status, bool watchdog);

 private:
  bool ready_ = false;
};

/// Reports every two seconds, or as often as a watchdog wants it, until stop is requested, for a thread of its own; returns at once
/// where nobody wants to be told. A run whose status cannot be read any more, because its threads
/// block each other, falls silent.
void report_to_service(const std::function<DaemonStatus()>& status, const std::stop_token& stop);

}  // namespace re_dms
