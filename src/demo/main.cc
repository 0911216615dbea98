// The program behind `re_dms demo`.
#include <fmt/format.h>

#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/exit_code.h"
#include "demo/arguments.h"
#include "demo/demo.h"

int main(int count, char** words) {
  using re_dms::ExitCode;
  try {
    const auto arguments = re_dms::demo::parse_demo_arguments({words + 1, words + count});
    if (!arguments.help.empty()) {
      fmt::print("{}", arguments.help);
      return static_cast<int>(ExitCode::Ok);
    }
    return re_dms::run_demo(arguments.settings);
  } catch (const re_dms::Error& error) {
    fmt::print(stderr, "re_dms: {}\n", error.what());
    return static_cast<int>(re_dms::exit_code_of(error));
  } catch (const std::exception& unexpected) {
    fmt::print(stderr, "re_dms: unexpected: {}\n", unexpected.what());
    return static_cast<int>(ExitCode::Failed);
  }
}
