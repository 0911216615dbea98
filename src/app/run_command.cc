#include "app/run_command.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include "app/run_status.h"
#include "app/status_pages.h"
#include "observe/http_server.h"
#include "observe/log.h"
#include "pipeline/pipeline.h"

namespace re_dms {

namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

/// Waits for SIGTERM and SIGINT: the first stops the run, the second the process. They must be
/// blocked in every thread.
class SignalWatch {
 public:
  SignalWatch(RunState& state, Outcome& outcome)
      : thread_([&state, &outcome](const std::stop_token& stop) { watch(state, outcome, stop); }) {}

 private:
  static void watch(RunState& state, Outcome& outcome, const std::stop_token& stop) {
    const sigset_t signals = stop_signals();
    const timespec patience{0, 100'000'000};
    bool first = true;
    while (!stop.stop_requested()) {
      if (sigtimedwait(&signals, nullptr, &patience) < 0) {
        continue;
      }
      if (!first) {
        flush_log(std::chrono::milliseconds(200));
        ::_exit(static_cast<int>(ExitCode::Failed));
      }
      first = false;
      log(LogLevel::Info, "stopping", "received a signal: finishing the current step");
      state.stopping();
      outcome.finish();
    }
  }

  std::jthread thread_;
};

UntilPosition until_of(const RunCommand& command) {
  if (!command.until) {
    return {};
  }
  if (const auto* lsn = std::get_if<Lsn>(&*command.until)) {
    return {false, *lsn};
  }
  return {true, {}};
}

}  // namespace

PipelineSettings pipeline_settings(const Config& config) {
  PipelineSettings settings;
  settings.source = config.source;
  settings.journal = config.journal;
  settings.batch = config.batch;
  settings.stage_directory = config.stage.directory;
  settings.warehouse = config.warehouse;
  settings.warehouse.memory_bytes = share_memory(config.batch.memory_bytes).warehouse_bytes;
  // Of the journal's directory, which is locked: the stage may be shared with other daemons.
  settings.warehouse.temporary_directory = config.journal.directory + "/duckdb-temporary";
  settings.journal.spilled_bytes = [warehouse = settings.warehouse] {
    return spilled_bytes(warehouse);
  };
  settings.warehouse.temporary_reserve_bytes = config.journal.reserve_bytes;
  return settings;
}

ExitCode run_daemon(const Config& config, const RunCommand& command) {
  // Before the first thread, as threads inherit the mask.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const PipelineSettings settings = pipeline_settings(config);
  RunState state;
  Outcome outcome;
  const RunStatus status(settings, state, real_clock());
  std::unique_ptr<HttpServer> server;
  if (config.observe.listen) {
    server = std::make_unique<HttpServer>(
        *config.observe.listen, status_pages([&] { return status.read(); }, state.metrics));
    server->start();
  }
  const SignalWatch watch(state, outcome);
  log(LogLevel::Info, "starting", "re_dms " RE_DMS_VERSION, {{"pid", ::getpid()}});
  bool set_aside = false;
  try {
    set_aside = run_pipeline(settings, until_of(command), real_file_system(), state, outcome);
  } catch (const Error& error) {
    log(LogLevel::Error, "failed", error.what(), {{"loaded", state.progress.loaded.lsn()}});
    return exit_code_of(error);
  }
  log(LogLevel::Info, "stopped", "everything acknowledged is safe",
      {{"loaded", state.progress.loaded.lsn()}});
  return set_aside ? ExitCode::SetAside : ExitCode::Ok;
}

}  // namespace re_dms
