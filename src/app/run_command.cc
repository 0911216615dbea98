#include "app/run_command.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <thread>

#include "app/exporters.h"
#include "app/progress_log.h"
#include "app/reload.h"
#include "app/run_status.h"
#include "app/service_report.h"
#include "app/status_pages.h"
#include "base/random.h"
#include "base/thread.h"
#include "control/verbs.h"
#include "observe/http_server.h"
#include "observe/log.h"
#include "observe/service.h"
#include "pipeline/pipeline.h"
#include "source/catalog/pattern.h"
#include "stage/s3_client.h"
#include "tables/loading_pause.h"

namespace re_dms {

namespace {

/// Whom a fatal error may keep waiting; what is not sent by then, the next start sends.
constexpr std::chrono::seconds kReportPatience(2);

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  return signals;
}

/// Waits for SIGTERM and SIGINT: the first stops the run, the second the process; and for SIGHUP:
/// the configuration is read again. They must be blocked in every thread.
class SignalWatch {
 public:
  SignalWatch(const Config& config, RunState& state, Outcome& outcome)
      : thread_([reload = Reload(config, state), &state,
                 &outcome](const std::stop_token& stop) mutable {
          begin_thread("signals");
          watch(reload, state, outcome, stop);
        }) {}

 private:
  static void watch(Reload& reload, RunState& state, Outcome& outcome,
                    const std::stop_token& stop) {
    const sigset_t signals = stop_signals();
    const timespec patience{0, 100'000'000};
    bool first = true;
    while (!stop.stop_requested()) {
      const int signal = sigtimedwait(&signals, nullptr, &patience);
      if (signal < 0) {
        continue;
      }
      if (signal == SIGHUP) {
        reload.read_again();
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

/// Verbs are for people, who can ask again: replication goes on without them.
std::unique_ptr<HttpServer> serve_control(const SocketFile& file, const ControlWiring& wiring) {
  if (file.path.empty()) {
    return nullptr;
  }
  try {
    // The journal's directory most often: its place in the parent has to be durable too.
    real_file_system().create_directories(std::filesystem::path(file.path).parent_path());
    auto server = std::make_unique<HttpServer>(file, control_routes(wiring));
    server->start();
    return server;
  } catch (const std::exception& error) {
    log(LogLevel::Warn, "no_control", error.what(), {{"socket", file.path}});
    return nullptr;
  }
}

}  // namespace

PipelineSettings pipeline_settings(const Config& config) {
  PipelineSettings settings;
  settings.source = config.source;
  settings.journal = config.journal;
  settings.batch = config.batch;
  settings.stage = config.stage;
  settings.warehouse = config.warehouse;
  settings.stage_format = stage_format(config.warehouse, random_hex());
  settings.stage_format.bad_values = [rules = TableRules(config.source.tables)](
                                         const QualifiedName& table, const std::string& column) {
    return rules.bad_values(table, column);
  };
  settings.warehouse.layout = [rules = TableRules(config.source.tables)](
                                  const QualifiedName& table) { return rules.layout(table); };
  settings.stage_format.keeps_columns =
      [rules = TableRules(config.source.tables)](const QualifiedName& table) {
        return rules.keeps_columns(table);
      };
  settings.warehouse.null_text = settings.stage_format.null_text;
  if (const auto& s3 = config.stage.s3) {
    settings.warehouse.bucket_region = s3_region(*s3);
    if (auto& login = settings.warehouse.iam_login) {
      login->region = login->region.empty() ? s3->region : login->region;
      login->profile = s3->profile;
      login->ca_file = s3->ca_file;
      login->proxy = s3->proxy;
    }
  }
  settings.warehouse.memory_bytes = share_memory(config.batch.memory_bytes).warehouse_bytes;
  // Of the journal's directory, which is locked: the stage may be shared with other daemons.
  settings.warehouse.temporary_directory = config.journal.directory + "/duckdb-temporary";
  settings.journal.spilled_bytes = [warehouse = settings.warehouse] {
    return spilled_bytes(warehouse);
  };
  settings.slot_interval = config.observe.slot_interval;
  settings.warehouse.temporary_reserve_bytes = config.journal.reserve_bytes;
  return settings;
}

ExitCode run_daemon(const Config& config, const RunCommand& command) {
  // Before the first thread, as threads inherit the mask.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const PipelineSettings settings = pipeline_settings(config);
  RunState state;
  state.metrics.set_table_bound(config.observe.table_metrics);
  const std::unique_ptr<HttpClient> http = open_http_client({});
  const std::unique_ptr<ErrorReporter> reporter = open_error_reporter(config, *http, state.metrics);
  if (settings.source.on_doubt == OnDoubt::SetAside) {
    state.tables.set_doubts_aside();
  }
  forbid_copies(state.tables, settings.source);
  Outcome outcome;
  const RunStatus status(settings, state, real_clock());
  std::unique_ptr<HttpServer> server;
  if (config.observe.listen) {
    server = std::make_unique<HttpServer>(
        *config.observe.listen, status_pages([&] { return status.read(); }, state.metrics));
    server->start();
  }
  const auto pushes = open_metric_pushes(config, state.metrics, [&] { status.read(); });
  const std::string& journal = settings.journal.directory;
  if (loading_is_paused(real_file_system(), journal)) {
    log(LogLevel::Warn, "loading_paused", "nothing is loaded until somebody says `re_dms resume`");
    state.tables.pause_loading(true);
  }
  const std::unique_ptr<HttpServer> control =
      serve_control(config.control, {state.tables, real_file_system(), journal});
  const SignalWatch watch(config, state, outcome);
  log(LogLevel::Info, "starting", "re_dms " RE_DMS_VERSION, {{"pid", ::getpid()}});
  bool set_aside = false;
  try {
    const std::jthread progress([&state](const std::stop_token& stop) {
      begin_thread("progress");
      log_progress(state.copies, stop);
    });
    const std::jthread service([&status](const std::stop_token& stop) {
      begin_thread("service");
      report_to_service([&status] { return status.read(); }, stop);
    });
    set_aside = run_pipeline(settings, until_of(command), real_file_system(), state, outcome);
  } catch (const Error& error) {
    log(LogLevel::Error, "failed", error.what(), {{"loaded", state.progress.loaded.lsn()}});
    tell_service(service_status_line(std::string("failed: ") + error.what()));
    if (reporter != nullptr) {
      reporter->flush(kReportPatience);
    }
    return exit_code_of(error);
  }
  log(LogLevel::Info, "stopped", "everything acknowledged is safe",
      {{"loaded", state.progress.loaded.lsn()}});
  return set_aside ? ExitCode::SetAside : ExitCode::Ok;
}

}  // namespace re_dms
