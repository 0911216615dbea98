#include "app/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <variant>

#include "app/check_report.h"
#include "app/demo_program.h"
#include "app/exporters.h"
#include "app/journal_check.h"
#include "app/load_check.h"
#include "app/run_command.h"
#include "app/status_pages.h"
#include "app/status_watch.h"
#include "base/error.h"
#include "journal/inspect.h"
#include "journal/origin_file.h"
#include "observe/http_fetch.h"
#include "observe/http_server.h"
#include "pipeline/pipeline.h"
#include "source/connection/identity.h"
#include "source/setup/check_source.h"
#include "source/setup/named_columns.h"
#include "source/setup/teardown.h"
#include "source/source.h"
#include "stage/s3_check.h"
#include "tables/loading_pause.h"
#include "warehouse/warehouse.h"

namespace re_dms {

namespace {

/// One `operator()` per command.
class Execution {
 public:
  explicit Execution(const Arguments& arguments) : arguments_(arguments) {}

  ExitCode operator()(const RunCommand& command) const { return run_daemon(config(), command); }

  ExitCode operator()(const CheckCommand&) const {
    const Config configuration = config();
    const PipelineSettings settings = pipeline_settings(configuration);
    CheckResult origin_result{CheckResult::Status::Ok, "journal: origin", "not begun yet", ""};
    const std::optional<Origin> origin = stored_origin(settings.journal.directory, origin_result);
    std::vector<CheckResult> results = check_source(settings.source, origin);
    // The damaged file would have said whose slot and target these are.
    const bool origin_known = origin_result.status != CheckResult::Status::Fail;
    if (!origin_known) {
      std::erase_if(results,
                    [](const CheckResult& result) { return result.name == "source: slot"; });
    }
    for (CheckResult& result : check_journal_directory(settings.journal)) {
      results.push_back(std::move(result));
    }
    results.push_back(std::move(origin_result));
    bool staged = true;
    for (CheckResult& result : check_stage(settings.stage)) {
      staged = staged && result.status != CheckResult::Status::Fail;
      results.push_back(std::move(result));
    }
    for (CheckResult& result : wanted_types(settings)) {
      results.push_back(std::move(result));
    }
    if (origin_known) {
      results.push_back(check_target(settings, origin));
      if (results.back().status == CheckResult::Status::Ok && staged) {
        for (CheckResult& result : check_load(settings.stage, settings.warehouse)) {
          results.push_back(std::move(result));
        }
      }
    }
    if (configuration.observe.listen) {
      results.push_back(check_status_page(*configuration.observe.listen));
    }
    for (CheckResult& result : check_exporters(configuration)) {
      results.push_back(std::move(result));
    }
    return print_checks(results, std::cout);
  }

  ExitCode operator()(const SetupCommand&) const {
    const PipelineSettings settings = pipeline_settings(config());
    RunState state;
    Outcome outcome;
    for (const LeftOut& table : set_up(settings, real_file_system(), state, outcome)) {
      fmt::print("left out: {}: {}\n", to_string(table.table), table.reason);
    }
    fmt::print("publication \"{}\" and slot \"{}\" are there; `re_dms run` streams from now on\n",
               settings.source.publication, settings.source.slot);
    return ExitCode::Ok;
  }

  ExitCode operator()(const TeardownCommand& command) const {
    const Config configuration = config();
    const PipelineSettings settings = pipeline_settings(configuration);
    const TeardownMode mode = command.confirmed ? TeardownMode::Drop : TeardownMode::Show;
    const std::string& directory = settings.journal.directory;
    const bool has_journal = real_file_system().exists(directory);
    const auto lock = command.confirmed && has_journal ? lock_unless_broken(directory) : nullptr;
    drop_left_over_slot(settings, command.confirmed);
    for (const std::string& line : drop_slot_and_publication(settings.source, mode)) {
      fmt::print("{}\n", line);
    }
    if (!command.keep_journal && has_journal && (lock || !command.confirmed)) {
      if (command.confirmed) {
        std::filesystem::remove_all(settings.warehouse.temporary_directory);
        std::filesystem::remove_all(configuration.observe.reports.directory);
        store_loading_pause(real_file_system(), directory, false);
        remove_journal(real_file_system(), directory, *lock);
      }
      fmt::print("{} the journal in {}\n", command.confirmed ? "removed" : "would remove",
                 directory);
    }
    fmt::print("{} stays as it is\n", target_name(settings.warehouse));
    if (!command.confirmed) {
      fmt::print("nothing was changed; `re_dms teardown --yes` does it\n");
    }
    return ExitCode::Ok;
  }

  ExitCode operator()(const StatusCommand& command) const {
    const std::optional<ListenAddress> listen = config().observe.listen;
    return command.watch ? watch_status(listen, {}, std::cout)
                         : show_status(listen, command.json, std::cout);
  }

  ExitCode operator()(const VerbCommand& command) const {
    constexpr std::chrono::seconds kPatience(10);
    const Config configuration = config();
    const std::string socket = configuration.control.path;
    if (socket.empty()) {
      throw Error(ErrorKind::Usage, "control.socket is \"off\": there is nobody to ask");
    }
    HttpAnswer answer;
    try {
      answer = http_post(socket, "/" + command.verb, command.tables, kPatience);
    } catch (const Error& error) {
      if (command.verb != "resync" && command.tables.empty() &&
          pause_stopped(configuration.journal.directory, command.verb == "pause")) {
        return ExitCode::Ok;
      }
      throw Error(ErrorKind::Fatal, "re_dms is not running: " + error.message(),
                  "Start it with `re_dms run`: a running daemon is asked over control.socket");
    }
    if (answer.status != 200) {
      throw Error(answer.status == 400 ? ErrorKind::Usage : ErrorKind::Fatal,
                  answer.body.substr(0, answer.body.find('\n')));
    }
    fmt::print("{}", answer.body);
    return ExitCode::Ok;
  }

  ExitCode operator()(const JournalInspectCommand& command) const {
    return inspect_journal(real_file_system(), command.directory, std::cout, command.json)
               ? ExitCode::Ok
               : ExitCode::Failed;
  }

  ExitCode operator()(const DemoCommand& command) const { start_demo(command.words); }

  ExitCode operator()(const HelpCommand& command) const {
    fmt::print("{}", command.text);
    return ExitCode::Ok;
  }

  ExitCode operator()(const VersionCommand&) const {
    fmt::print("re_dms {}\n", RE_DMS_VERSION);
    return ExitCode::Ok;
  }

 private:
  /// Reads the configuration and sets up the log by it.
  Config config() const {
    Config config = load_config(arguments_.config_path);
    configure_log(log_format_for(config.observe, ::isatty(STDERR_FILENO) != 0),
                  arguments_.log_level);
    return config;
  }

  /// Of a daemon that does not run, all loading can be paused for its next start. False before its
  /// first one. Throws where the journal is in use.
  static bool pause_stopped(const std::string& directory, bool paused) {
    if (!real_file_system().exists(directory)) {
      return false;
    }
    const auto lock = lock_journal(real_file_system(), directory);
    store_loading_pause(real_file_system(), directory, paused);
    fmt::print("re_dms is not running; its next start {}\n",
               paused ? "loads nothing until `re_dms resume`" : "loads");
    return true;
  }

  /// A daemon that waits to reconnect reads no slot but holds its journal: that stops a teardown. A
  /// journal on a full or read-only disk does not: then dropping the slot matters all the more.
  static std::unique_ptr<DirectoryLock> lock_unless_broken(const std::string& directory) {
    try {
      return lock_journal(real_file_system(), directory);
    } catch (const HeldByAnother&) {
      throw;
    } catch (const Error& error) {
      fmt::print("the journal in {} stays: {}\n", directory, error.what());
      return nullptr;
    }
  }

  /// The slot of an interrupted first start under another name, which only the journal knows of.
  static void drop_left_over_slot(const PipelineSettings& settings, bool confirmed) {
    CheckResult ignored;
    const auto intended = stored_origin(settings.journal.directory, ignored);
    if (!intended || intended->created || !intended->slot_is_ours ||
        intended->slot == settings.source.slot) {
      return;
    }
    if (confirmed) {
      Source(settings.source).drop_slot_of(*intended);
    }
    fmt::print("{} slot \"{}\", if an interrupted first start has left it\n",
               confirmed ? "dropped" : "would drop", intended->slot);
  }

  /// Whose changes the journal holds; nothing before a first start, or with the fault in `result`.
  static std::optional<Origin> stored_origin(const std::string& directory, CheckResult& result) {
    try {
      const std::optional<Origin> origin = load_origin(real_file_system(), directory);
      if (origin) {
        result.finding =
            fmt::format("slot \"{}\" of cluster {}", origin->slot, origin->system_identifier);
      }
      return origin;
    } catch (const Error& error) {
      result = {CheckResult::Status::Fail, result.name, error.message(), error.advice()};
      return std::nullopt;
    }
  }

  /// Nothing where the source refuses: then that is what check says.
  static std::vector<CheckResult> wanted_types(const PipelineSettings& settings) {
    try {
      return check_types(settings.warehouse, tables_with_types(settings.source));
    } catch (const Error&) {
      return {};
    }
  }

  static CheckResult check_target(const PipelineSettings& settings,
                                  const std::optional<Origin>& origin) {
    const std::string name = target_name(settings.warehouse);
    if (const std::string problem = check_warehouse(settings.warehouse); !problem.empty()) {
      return {CheckResult::Status::Fail, "target", problem,
              "See the message; then run check again"};
    }
    try {
      if (origin && origin->created) {
        if (!inspect_warehouse(settings.warehouse, *origin) && origin->target_made) {
          throw_target_gone(name);
        }
      } else if (const auto source = origin_of_source(settings.source)) {
        require_fresh_target(settings, *source);
      }
    } catch (const Error& error) {
      return {CheckResult::Status::Fail, "target", error.message(), error.advice()};
    }
    return {CheckResult::Status::Ok, "target", name + " can be written", ""};
  }

  /// Nothing where the source refuses: then that is what check says.
  static std::optional<Origin> origin_of_source(const SourceSettings& settings) {
    try {
      return identify_source(settings);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  static std::vector<CheckResult> check_stage(const StageSettings& stage) {
    return stage.s3 ? check_s3(*stage.s3) : std::vector{check_stage_directory(stage.directory)};
  }

  static CheckResult check_status_page(const ListenAddress& listen) {
    CheckResult result{CheckResult::Status::Ok, "status page", to_string(listen), ""};
    try {
      HttpServer(listen, {}).start();
    } catch (const Error& error) {
      if (re_dms_listens(listen)) {
        result.finding += ", where a re_dms answers already";
      } else {
        result = {CheckResult::Status::Fail, result.name, error.message(), error.advice()};
      }
    }
    return result;
  }

  const Arguments& arguments_;
};

}  // namespace

ExitCode execute(const Arguments& arguments) {
  return std::visit(Execution(arguments), arguments.command);
}

}  // namespace re_dms
