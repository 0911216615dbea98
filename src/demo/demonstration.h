// The course of the demo: what happens, in which order, and what is said about it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demo/child_process.h"
#include "demo/comparison.h"
#include "demo/daemon.h"
#include "demo/demo.h"
#include "demo/load_meter.h"
#include "demo/postgres_server.h"
#include "demo/screen.h"
#include "demo/stop_signals.h"
#include "demo/summary.h"
#include "demo/traffic.h"
#include "demo/workspace.h"

namespace re_dms::demo {

/// Belongs to the main thread; the collaborators outlive it. Its destructor ends what runs: traffic
/// first, then the daemon, PostgreSQL last.
class Demonstration {
 public:
  Demonstration(const DemoSettings& settings, StopSignals& signals, Screen& screen,
                Workspace& workspace);

  /// From an empty folder to the comparison. True when both sides are equal.
  bool run();

 private:
  using Moment = LoadMeter::Moment;

  /// Something that happens once, so many seconds after the traffic began.
  struct Event {
    double at = 0;
    std::function<void()> happen;
  };

  void start_postgres();
  void fill_tables();
  void copy_under_traffic();
  void start_daemon();
  void live_traffic();
  void load_the_rest();
  bool judge();
  void show_example();
  void say_what_next(bool equal);

  ChildProcess start_pgbench(const std::vector<std::string>& options);
  void await_pgbench(ChildProcess& pgbench);
  /// Keeps the live line going until `done`; ends the demo when the daemon or the traffic failed.
  void watch(const std::function<bool()>& done);
  void begin_traffic();
  void end_traffic();
  void check_traffic();
  void show(const std::optional<DaemonStatus>& status);
  std::vector<Event> events();
  void add_table();
  void follow_new_table(const DaemonStatus& status);
  void kill_daemon();
  void restart_daemon();
  DemoFigures figures();
  std::vector<TextRow> ask_warehouse(const std::string& sql) const;

  const DemoSettings& settings_;
  StopSignals& signals_;
  Screen& screen_;
  Workspace& workspace_;
  std::string executable_;
  PostgresServer server_;
  Daemon daemon_;
  bool daemon_expected_ = false;  ///< false between its kill and its restart
  ChildProcess pgbench_;
  DocumentTraffic traffic_;
  bool traffic_expected_ = false;
  /// Of the table that is added.
  enum class NewTable { None, Made, Coming, Live } new_table_ = NewTable::None;
  LoadMeter meter_;
  Moment begin_ = std::chrono::steady_clock::now();  ///< second 0 of what is shown
  Moment traffic_began_ = begin_;
  std::optional<DaemonStatus> last_status_;
  DemoFigures figures_;
  std::string first_lsn_;
};

}  // namespace re_dms::demo
