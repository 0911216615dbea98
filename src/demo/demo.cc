#include "demo/demo.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "demo/demonstration.h"
#include "demo/screen.h"
#include "demo/stop_signals.h"
#include "demo/workspace.h"

namespace re_dms {

namespace {

/// A person's PGHOST or PGOPTIONS must not lead the demo to another server.
void forget_postgres_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (variable.starts_with("PG")) {
      names.emplace_back(variable.substr(0, variable.find('=')));
    }
  }
  for (const std::string& name : names) {
    ::unsetenv(name.c_str());
  }
}

/// Every process of the demo has ended on return and on a throw, before its files go.
bool demonstrate(const DemoSettings& settings, demo::StopSignals& signals,
                 demo::Workspace& workspace) {
  demo::Screen screen;
  return demo::Demonstration(settings, signals, screen, workspace).run();
}

int run_in_workspace(const DemoSettings& settings) {
  demo::StopSignals signals;
  demo::Workspace workspace(settings.directory);
  try {
    const bool equal = demonstrate(settings, signals, workspace);
    if (equal && !settings.keep) {
      workspace.remove_intermediate();
    }
    return equal ? 0 : 1;
  } catch (const Error& error) {
    // What failed can be looked into; what a person stopped is not worth the space.
    if (!signals.came()) {
      throw Error(error.kind(), error.message(),
                  fmt::format("{}{}What the demo made is left in {}", error.advice(),
                              error.advice().empty() ? "" : ". ", workspace.directory()));
    }
    if (!settings.keep) {
      workspace.remove_intermediate();
    }
    throw;
  }
}

}  // namespace

int run_demo(const DemoSettings& settings) {
  forget_postgres_environment();
  // New tables are looked for every minute, which is long for somebody who watches.
  ::setenv("RE_DMS_CATALOG_MS", "2000", 1);
  try {
    return run_in_workspace(settings);
  } catch (const std::filesystem::filesystem_error& failure) {
    throw Error(ErrorKind::Fatal, failure.what());
  }
}

}  // namespace re_dms
