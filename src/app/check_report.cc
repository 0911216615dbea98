#include "app/check_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace re_dms {

namespace {

std::string_view status_text(CheckResult::Status status) {
  switch (status) {
    case CheckResult::Status::Ok:
      return "ok";
    case CheckResult::Status::Warn:
      return "warn";
    case CheckResult::Status::Fail:
      return "fail";
  }
  return "fail";
}

std::string plural(std::ptrdiff_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

ExitCode print_checks(const std::vector<CheckResult>& results, std::ostream& out) {
  std::size_t width = 0;
  for (const CheckResult& result : results) {
    width = std::max(width, result.name.size());
  }
  for (const CheckResult& result : results) {
    out << fmt::format("{:<4}  {:<{}}  {}\n", status_text(result.status), result.name, width,
                       result.finding);
    if (!result.fix.empty()) {
      out << fmt::format("{:{}}-> {}\n", "", width + 8, result.fix);
    }
  }
  const auto count = [&](CheckResult::Status status) {
    return std::count_if(results.begin(), results.end(),
                         [&](const CheckResult& result) { return result.status == status; });
  };
  const auto failed = count(CheckResult::Status::Fail);
  const auto warned = count(CheckResult::Status::Warn);
  out << fmt::format("\n{}: {} ok, {}, {}\n", plural(std::ssize(results), "check"),
                     count(CheckResult::Status::Ok), plural(warned, "warning"),
                     plural(failed, "failure"));
  return failed > 0 ? ExitCode::Failed : ExitCode::Ok;
}

}  // namespace re_dms
