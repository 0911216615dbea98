// The daemon as a child process, as systemd would run it: configuration file, log, status page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "demo/child_process.h"
#include "demo/stop_signals.h"
#include "demo/workspace.h"
#include "observe/status.h"

namespace re_dms::demo {

/// Belongs to the main thread; the collaborators outlive it. The destructor kills the daemon.
class Daemon {
 public:
  Daemon(std::string executable, const Workspace& workspace, StopSignals& signals);

  /// Writes the configuration for a source and a free port of this machine.
  void configure(const std::string& source_url);

  /// `re_dms run`; on return it streams. Throws Fatal with the end of its log when it does not.
  void start();

  /// `re_dms run --until now`: loads everything that the source holds, then ends by itself.
  void start_until_now();

  /// kill -9
  void kill();

  /// SIGTERM, and waits. Throws Fatal when it does not end well.
  void stop();

  /// Throws Fatal, with the end of the log, when it has ended by itself and badly; true when it has
  /// ended well.
  bool ended();

  /// What it says about itself; empty while it does not answer.
  std::optional<DaemonStatus> status() const;

 private:
  void launch(std::vector<std::string> options);

  std::string executable_;
  const Workspace& workspace_;
  StopSignals& signals_;
  std::string status_url_;
  ChildProcess process_;
};

}  // namespace re_dms::demo
