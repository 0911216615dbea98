#include "app/exporters.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file_system.h"
#include "observe/log.h"
#include "telemetry/cloudwatch.h"
#include "telemetry/crash_note.h"
#include "telemetry/report_service.h"
#include "telemetry/statsd.h"

namespace re_dms {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::vector<std::unique_ptr<ReportService>> report_services(const Config& config,
                                                            HttpClient& http) {
  const ReportSettings& reports = config.observe.reports;
  const Reporter reporter{reports.environment, host_name(), config.source.slot};
  std::vector<std::unique_ptr<ReportService>> services;
  if (!reports.rollbar_token.empty()) {
    services.push_back(open_rollbar({reports.rollbar_token, reports.rollbar_url}, reporter, http));
  }
  if (!reports.sentry_dsn.empty()) {
    services.push_back(open_sentry(parse_sentry_dsn(reports.sentry_dsn), reporter, http));
  }
  return services;
}

ScrubRules scrub_rules(const Config& config) {
  ScrubRules rules;
  rules.values = config.observe.reports.values;
  rules.secrets = passwords_in(config.source.url);
  for (std::string& secret : passwords_in(config.warehouse.url)) {
    rules.secrets.push_back(std::move(secret));
  }
  const ReportSettings& reports = config.observe.reports;
  if (!reports.rollbar_token.empty()) {
    rules.secrets.push_back(reports.rollbar_token);
  }
  if (!reports.sentry_dsn.empty()) {
    rules.secrets.push_back(parse_sentry_dsn(reports.sentry_dsn).key);
  }
  return rules;
}

CloudWatchSettings cloudwatch_settings(const Config& config) {
  CloudWatchSettings settings;
  settings.space = config.observe.cloudwatch_namespace;
  settings.slot = config.source.slot;
  settings.region = config.observe.cloudwatch_region;
  if (const auto& s3 = config.stage.s3) {
    settings.region = settings.region.empty() ? s3->region : settings.region;
    settings.profile = s3->profile;
    settings.ca_file = s3->ca_file;
    settings.proxy = s3->proxy;
  }
  return settings;
}

StatsdSettings statsd_settings(const Config& config) {
  return {config.observe.statsd, config.observe.statsd_tags, config.source.slot};
}

template <typename F>
CheckResult checked(std::string name, F look) {
  try {
    return {CheckResult::Status::Ok, std::move(name), look(), ""};
  } catch (const Error& error) {
    return {CheckResult::Status::Fail, std::move(name), error.message(), error.advice()};
  }
}

/// Any answer will do.
std::string answers(HttpClient& http, const std::string& origin) {
  HttpRequest request;
  request.origin = origin;
  request.patience = std::chrono::seconds(10);
  http.send(request, {});
  return request.shown_origin() + " answers";
}

}  // namespace

std::unique_ptr<ErrorReporter> open_error_reporter(const Config& config, HttpClient& http,
                                                   Metrics& metrics) {
  const ReportSettings& reports = config.observe.reports;
  if (!reports.wanted()) {
    return nullptr;
  }
  try {
    FileSystem& files = real_file_system();
    files.create_directories(reports.directory);
    // A second run of the same configuration ends soon, and leaves the first one's note and spool.
    auto lock = files.lock(reports.directory + "/lock");
    const std::string note = reports.directory + "/crash";
    auto crash = take_crash_note(files, note);
    note_crashes(note);
    ErrorReporterSettings settings{reports.directory, std::move(lock), reports.least,
                                   scrub_rules(config)};
    auto reporter = std::make_unique<ErrorReporter>(std::move(settings),
                                                    report_services(config, http), files, metrics);
    if (crash) {
      reporter->add(*crash);
    }
    return reporter;
  } catch (const Error& error) {
    log(LogLevel::Warn, "error_reports_off",
        fmt::format("{}: errors are reported to nobody until the next start", error.what()),
        {{"directory", reports.directory}});
    return nullptr;
  }
}

std::vector<std::unique_ptr<MetricPush>> open_metric_pushes(const Config& config, Metrics& metrics,
                                                            const std::function<void()>& refresh) {
  std::vector<std::unique_ptr<MetricPush>> pushes;
  if (!config.observe.statsd.empty()) {
    pushes.push_back(std::make_unique<MetricPush>(open_statsd(statsd_settings(config)), metrics,
                                                  refresh, config.observe.statsd_interval));
  }
  if (!config.observe.cloudwatch_namespace.empty()) {
    try {
      pushes.push_back(std::make_unique<MetricPush>(open_cloudwatch(cloudwatch_settings(config)),
                                                    metrics, refresh,
                                                    config.observe.cloudwatch_interval));
    } catch (const Error& error) {
      // Nobody who looks on stops the copy.
      log(LogLevel::Warn, "metrics_fail", error.what(), {{"to", "CloudWatch"}});
    }
  }
  return pushes;
}

std::vector<CheckResult> check_exporters(const Config& config) {
  std::vector<CheckResult> results;
  const ObserveSettings& observe = config.observe;
  const std::unique_ptr<HttpClient> http = open_http_client({});
  if (!observe.statsd.empty()) {
    results.push_back(checked("metrics: StatsD", [&] {
      check_statsd(statsd_settings(config));
      return observe.statsd + " (UDP: nobody can tell whether it arrives)";
    }));
  }
  if (!observe.cloudwatch_namespace.empty()) {
    results.push_back(checked("metrics: CloudWatch", [&] {
      return fmt::format("namespace {}, asked with {}", observe.cloudwatch_namespace,
                         check_cloudwatch(cloudwatch_settings(config)));
    }));
  }
  if (!observe.reports.rollbar_token.empty()) {
    results.push_back(checked("error reports: Rollbar",
                              [&] { return answers(*http, observe.reports.rollbar_url); }));
  }
  if (!observe.reports.sentry_dsn.empty()) {
    results.push_back(checked("error reports: Sentry", [&] {
      return answers(*http, parse_sentry_dsn(observe.reports.sentry_dsn).origin);
    }));
  }
  return results;
}

}  // namespace re_dms
