#include "demo/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/error.h"

namespace re_dms::demo {

DemoArguments parse_demo_arguments(std::vector<std::string> words) {
  DemoArguments arguments;
  CLI::App parser("A throwaway PostgreSQL, traffic, replication into DuckDB, comparison",
                  "re_dms demo");
  parser.set_help_flag("-h,--help", "Show this help");
  parser
      .add_option("--seconds", arguments.settings.seconds,
                  "How long the traffic lasts once all is copied, else 25")
      ->type_name("N")
      ->check(CLI::Range(1, 86'400).description(""));
  parser
      .add_option("--directory", arguments.settings.directory,
                  "Where everything of the demo lives, else demo")
      ->type_name("DIR");
  parser.add_flag("--keep", arguments.settings.keep,
                  "Leave the files of PostgreSQL, journal and stage in place");
  parser
      .add_option("--program", arguments.settings.program,
                  "The re_dms to show; `re_dms demo` names itself")
      ->group("");
  // CLI11 takes words from the back.
  std::ranges::reverse(words);
  try {
    parser.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    arguments.help = parser.help();
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::Usage, error.what(), "`re_dms demo --help` lists the options");
  }
  if (arguments.help.empty() && arguments.settings.program.empty()) {
    throw Error(ErrorKind::Usage, "--program is missing", "Start it by `re_dms demo`");
  }
  return arguments;
}

}  // namespace re_dms::demo
