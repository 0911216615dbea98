#include "telemetry/report_spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::string_view kSuffix = ".report";
constexpr std::int64_t kHour = 3600;

}  // namespace

ReportSpool::ReportSpool(FileSystem& files, std::string directory, ReportLimits limits)
    : files_(files), directory_(std::move(directory)), limits_(limits) {
  files_.create_directories(directory_);
  load_known();
}

/// What was reported before the process began counts too: a daemon that is restarted again and
/// again by its supervisor reports its error once.
void ReportSpool::load_known() {
  const std::string path = directory_ + "/known.json";
  if (!files_.exists(path)) {
    return;
  }
  const auto json = nlohmann::json::parse(read_file(files_, path), nullptr, false);
  if (!json.is_object()) {
    return;
  }
  hour_began_ = json.value("hour_began", std::int64_t{0});
  in_hour_ = json.value("in_hour", 0);
  const nlohmann::json known = json.value("known", nlohmann::json::object());
  for (const auto& [fingerprint, one] : known.items()) {
    known_[fingerprint] = {one.value("at", std::int64_t{0}), one.value("since", std::uint64_t{0})};
  }
}

void ReportSpool::store_known() {
  nlohmann::json known = nlohmann::json::object();
  for (const auto& [fingerprint, one] : known_) {
    known[fingerprint] = {{"at", one.reported_at}, {"since", one.since}};
  }
  const nlohmann::json json = {
      {"hour_began", hour_began_}, {"in_hour", in_hour_}, {"known", known}};
  replace_file(files_, directory_ + "/known.json", json.dump());
}

void ReportSpool::forget_old(std::int64_t now) {
  std::erase_if(known_, [&](const auto& one) {
    return now - one.second.reported_at > std::max<std::int64_t>(limits_.again.count(), kHour) * 24;
  });
}

ReportSpool::Taken ReportSpool::add(ErrorReport report) {
  const std::int64_t now = report.at;
  const auto found = known_.find(report.fingerprint);
  if (found != known_.end() && now - found->second.reported_at < limits_.again.count()) {
    ++found->second.since;
    return Taken::Alike;
  }
  if (now - hour_began_ >= kHour) {
    hour_began_ = now;
    in_hour_ = 0;
  }
  const auto names = files_.list(directory_);
  const auto waiting =
      std::ranges::count_if(names, [](const std::string& name) { return name.ends_with(kSuffix); });
  if (in_hour_ >= limits_.each_hour || static_cast<std::size_t>(waiting) >= limits_.waiting) {
    return Taken::Dropped;
  }
  ++in_hour_;
  Known& known = known_[report.fingerprint];
  report.count += std::exchange(known.since, 0);
  known.reported_at = now;
  replace_file(files_, path_of(report), to_json(report));
  forget_old(now);
  store_known();
  return Taken::New;
}

std::optional<ErrorReport> ReportSpool::next() {
  for (const std::string& name : files_.list(directory_)) {
    if (!name.ends_with(kSuffix)) {
      continue;
    }
    const std::string path = directory_ + "/" + name;
    try {
      return parse_report(read_file(files_, path));
    } catch (const Error&) {
      files_.remove(path);
    }
  }
  return std::nullopt;
}

void ReportSpool::done(const ErrorReport& report) {
  files_.remove(path_of(report));
}

/// Sorted by time.
std::string ReportSpool::path_of(const ErrorReport& report) const {
  return fmt::format("{}/{:012}-{}{}", directory_, report.at, report.id, kSuffix);
}

}  // namespace re_dms
