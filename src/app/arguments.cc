#include "app/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "app/suggestion.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr const char* kDescription =
    "re_dms keeps a warehouse equal to a PostgreSQL database: it reads a logical\n"
    "replication slot, keeps what it read safe on its own disk, and loads it in\n"
    "large batches.";

constexpr const char* kFooter =
    "First steps:\n"
    "  re_dms demo       see it work on this machine, nothing to prepare\n"
    "  re_dms check      what a configuration still lacks for a first run\n"
    "  re_dms run        replicate until stopped\n"
    "\nExit codes: 0 ok, 1 failed, 2 usage or configuration, 3 tables set aside, 4 refused.\n"
    "`re_dms COMMAND --help` tells more about a command.";

/// CLI11's layout with wider columns, a command's words for its values, and room to breathe.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(26);
    label("SUBCOMMAND", "COMMAND");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string value = option->get_type_name();
    return option->get_expected_max() == 0 || value.empty() ? "" : " " + value;
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "\n" + CLI::Formatter::make_usage(app, std::move(name));
    // That a command must be there is checked after parsing, where the message can be better.
    const std::string optional = "[COMMAND]";
    if (const std::size_t at = usage.find(optional); at != std::string::npos) {
      usage.replace(at, optional.size(), "COMMAND");
    }
    return usage;
  }
};

/// The parser with what it parses into.
class Parser {
 public:
  Parser() {
    app_.name("re_dms");
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.footer(kFooter);
    app_.require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "Show this help");
    app_.add_option("-c,--config", arguments_.config_path,
                    fmt::format("Configuration file, else {}", kDefaultConfigPath))
        ->type_name("FILE");
    CLI::Option* verbose = app_.add_flag("-v,--verbose", verbose_, "Log more");
    app_.add_flag("-q,--quiet", quiet_, "Log warnings and errors only")->excludes(verbose);
    app_.add_flag("--version", print_version_, "Print the version");
    add_replication_commands();
    add_verbs();
    add_looking_commands();
  }

  Arguments parse(std::vector<std::string> words) {
    // CLI11 takes words from the back.
    std::ranges::reverse(words);
    try {
      app_.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
      arguments_.command = HelpCommand{help()};
      return arguments_;
    } catch (const CLI::ExtrasError&) {
      refuse_extras();
    } catch (const CLI::ParseError& error) {
      refuse(error.what());
    }
    if (print_version_) {
      arguments_.command = VersionCommand{};
    } else if (app_.get_subcommands().empty()) {
      refuse("no command given");
    } else if (journal_->parsed() && journal_->get_subcommands().empty()) {
      refuse("journal: no command given; use `re_dms journal inspect DIR`");
    }
    if (verbose_) {
      arguments_.log_level = LogLevel::Debug;
    } else if (quiet_) {
      arguments_.log_level = LogLevel::Warn;
    }
    return arguments_;
  }

 private:
  /// A command whose options end up in `command`, which becomes the result when it is chosen.
  template <typename T>
  CLI::App* add(CLI::App& parent, const char* name, const char* description, T& command) {
    CLI::App* added = parent.add_subcommand(name, description);
    // Global options may stand behind the command too.
    added->fallthrough();
    added->footer("");
    added->group("Commands");
    added->final_callback([this, &command] { arguments_.command = command; });
    return added;
  }

  void add_replication_commands() {
    CLI::App* run = add(app_, "run", "Replicate until stopped, or until a position", run_);
    run->add_option_function<std::string>(
           "--until", [this](const std::string& text) { run_.until = parse_until(text); },
           "Load up to this position of the source, then exit")
        ->type_name("now|LSN");
    add(app_, "check", "Look at everything a run needs; changes nothing", check_);
    add(app_, "setup", "Create publication, slot and target schema; `run` does it too", setup_);
    CLI::App* teardown =
        add(app_, "teardown", "Show what re_dms created at the source and here, and drop it",
            teardown_);
    teardown->add_flag("--yes", teardown_.confirmed, "Really drop slot, publication and journal");
    teardown->add_flag("--keep-journal", teardown_.keep_journal, "Leave the journal on the disk");
  }

  CLI::App* add_verb(const char* name, const char* description, VerbCommand& command) {
    CLI::App* verb = add(app_, name, description, command);
    command.verb = name;
    verb->add_option("TABLE", command.tables, "Patterns, as in source.include")->type_name("");
    return verb;
  }

  void add_verbs() {
    add_verb("pause", "Stop loading, of all tables or of some; reading goes on", pause_);
    add_verb("resume", "Go on loading, of all tables or of some", resume_);

    CLI::App* resync = add_verb("resync", "Have the running daemon copy tables anew", resync_);
    CLI::Option* tables = resync->get_option("TABLE");
    resync
        ->add_flag_callback(
            "--all", [this] { resync_.tables = {"*.*"}; }, "All tables")
        ->excludes(tables);
    resync->final_callback([this] {
      if (resync_.tables.empty()) {
        refuse("resync: no table named; `re_dms resync --all` copies all of them anew");
      }
      arguments_.command = resync_;
    });
  }

  void add_looking_commands() {
    CLI::App* status = add(app_, "status", "What the running daemon is doing", status_);
    CLI::Option* json = status->add_flag("--json", status_.json, "As JSON, for programs");
    status->add_flag("--watch", status_.watch, "Every second, until Ctrl-C or the daemon's end")
        ->excludes(json);
    journal_ = app_.add_subcommand("journal", "Look into a journal");
    journal_->fallthrough();
    journal_->footer("");
    journal_->group("Commands");
    CLI::App* inspect =
        add(*journal_, "inspect", "List a journal's segments and transactions", inspect_);
    inspect->add_option("DIR", inspect_.directory, "The journal's directory")
        ->type_name("")
        ->required();
    inspect->add_flag("--json", inspect_.json, "One JSON object a line");
    CLI::App* demo =
        add(app_, "demo", "A throwaway PostgreSQL, traffic, replication into DuckDB, comparison",
            demo_);
    // Its program knows its options, --help among them.
    demo->fallthrough(false);
    demo->set_help_flag();
    demo->prefix_command();
    demo->parse_complete_callback([this, demo] { demo_.words = demo->remaining(); });
    add(app_, "version", "Print the version", version_);
  }

  static RunUntil parse_until(const std::string& text) {
    if (text == "now") {
      return UntilNow{};
    }
    const std::optional<Lsn> lsn = Lsn::parse(text);
    if (!lsn || !lsn->known()) {
      throw CLI::ValidationError("--until", fmt::format("\"{}\" is neither \"now\" nor an LSN such "
                                                        "as 16/B374D848",
                                                        text));
    }
    return *lsn;
  }

  [[noreturn]] static void refuse(const std::string& problem) {
    throw Error(ErrorKind::Usage, problem, "`re_dms --help` lists the commands and options");
  }

  /// A word nobody expected: most often a misspelt command.
  [[noreturn]] void refuse_extras() const {
    const std::vector<std::string> extras = app_.remaining(true);
    const std::string word = extras.empty() ? "" : extras.front();
    const CLI::App& place = journal_->parsed() ? *journal_ : app_;
    if (!place.get_subcommands().empty() || word.starts_with('-')) {
      refuse(fmt::format("unexpected \"{}\"", word));
    }
    std::vector<std::string> commands;
    for (const CLI::App* command : place.get_subcommands([](const CLI::App*) { return true; })) {
      commands.push_back(command->get_name());
    }
    const std::string meant = nearest(word, commands);
    refuse(fmt::format("unknown command \"{}\"{}", word,
                       meant.empty() ? "" : fmt::format("; perhaps you mean \"{}\"", meant)));
  }

  std::string help() const {
    std::string text = app_.help();
    while (text.ends_with("\n\n")) {
      text.pop_back();
    }
    return text.ends_with('\n') ? text : text + "\n";
  }

  CLI::App app_{kDescription};

  Arguments arguments_;
  CLI::App* journal_ = nullptr;
  VerbCommand resync_;
  VerbCommand pause_;
  VerbCommand resume_;
  bool verbose_ = false;
  bool quiet_ = false;
  bool print_version_ = false;
  RunCommand run_;
  CheckCommand check_;
  SetupCommand setup_;
  TeardownCommand teardown_;
  StatusCommand status_;
  JournalInspectCommand inspect_;
  DemoCommand demo_;
  VersionCommand version_;
};

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

}  // namespace re_dms
