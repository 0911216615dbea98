// Reads the command line, runs the command. The one place besides the pipeline's threads where
// errors are caught.
#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

#include "app/arguments.h"
#include "app/commands.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/exit_code.h"
#include "observe/log.h"
#include "source/connection/conninfo.h"

namespace {

// Takes longer than a moment only where nobody reads standard error.
constexpr std::chrono::seconds kFlushPatience{2};

re_dms::ExitCode run(const std::vector<std::string>& arguments) {
  try {
    return re_dms::execute(re_dms::parse_arguments(arguments));
  } catch (const re_dms::Error& error) {
    re_dms::print_error(fmt::format("re_dms: {}\n", error.what()));
    return re_dms::exit_code_of(error);
  } catch (const std::exception& unexpected) {
    re_dms::print_error(fmt::format("re_dms: unexpected: {}\n", unexpected.what()));
    return re_dms::ExitCode::Failed;
  }
}

}  // namespace

int main(int count, char** words) {
  ::signal(SIGPIPE, SIG_IGN);
  // libpq would use them for the target too.
  re_dms::take_variables(re_dms::libpq_variables());
  re_dms::start_log_thread();
  const int code = static_cast<int>(run({words + 1, words + count}));
  re_dms::flush_log(kFlushPatience);
  return code;
}
