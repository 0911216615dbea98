#include "telemetry/report_service.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace re_dms {

namespace {

using Json = nlohmann::ordered_json;

/// Longer than a service takes that is only slow.
constexpr std::chrono::milliseconds kAnswerPatience(10'000);
constexpr std::size_t kTitleBytesMax = 200;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string title_of(const ErrorReport& report) {
  std::string title = report.event + ": ";
  if (!report.table.empty()) {
    title += report.table + ": ";
  }
  return (title + report.message).substr(0, kTitleBytesMax);
}

/// What both services show beside the message.
Json context_of(const ErrorReport& report, const Reporter& reporter) {
  Json context = {{"event", report.event},
                  {"version", report.version},
                  {"slot", reporter.slot},
                  {"count", report.count}};
  const std::array<std::pair<const char*, const std::string*>, 4> optional = {
      {{"table", &report.table},
       {"lsn", &report.lsn},
       {"sqlstate", &report.sqlstate},
       {"stack", &report.stack}}};
  for (const auto& [name, value] : optional) {
    if (!value->empty()) {
      context[name] = *value;
    }
  }
  return context;
}

/// Throws unless the service took it.
void require_taken(std::string_view service, const HttpResponse& response) {
  if (response.status >= 200 && response.status < 300) {
    return;
  }
  const bool passing = response.status == 429 || response.status == 408 || response.status >= 500;
  throw Error(passing ? ErrorKind::Transient : ErrorKind::Fatal,
              fmt::format("{} answers {} to an error report", service, response.status),
              response.status == 401 || response.status == 403
                  ? "See whether the token in the configuration is one that may post items"
                  : "");
}

/// Throws unless the service takes it.
void post(HttpClient& http, HttpRequest request, std::string_view service,
          const std::stop_token& stop) {
  request.method = "POST";
  request.patience = kAnswerPatience;
  require_taken(service, http.send(request, stop));
}

class Rollbar final : public ReportService {
 public:
  Rollbar(RollbarSettings settings, Reporter reporter, HttpClient& http)
      : settings_(std::move(settings)), reporter_(std::move(reporter)), http_(http) {}

  std::string_view name() const override { return "Rollbar"; }

  void send(const ErrorReport& report, const std::stop_token& stop) override {
    const std::string body = rollbar_item(report, reporter_);
    HttpRequest request;
    request.origin = settings_.origin;
    request.path = "/api/1/item/";
    request.headers = {{"content-type", "application/json"},
                       {"x-rollbar-access-token", settings_.token}};
    request.body = body;
    post(http_, std::move(request), name(), stop);
  }

 private:
  RollbarSettings settings_;
  Reporter reporter_;
  HttpClient& http_;
};

class Sentry final : public ReportService {
 public:
  Sentry(SentrySettings settings, Reporter reporter, HttpClient& http)
      : settings_(std::move(settings)), reporter_(std::move(reporter)), http_(http) {}

  std::string_view name() const override { return "Sentry"; }

  void send(const ErrorReport& report, const std::stop_token& stop) override {
    const std::string body = sentry_envelope(report, reporter_);
    HttpRequest request;
    request.origin = settings_.origin;
    request.path = settings_.path;
    request.headers = {
        {"content-type", "application/x-sentry-envelope"},
        {"x-sentry-auth", fmt::format("Sentry sentry_version=7, sentry_client=re_dms/{}, "
                                      "sentry_key={}",
                                      RE_DMS_VERSION, settings_.key)}};
    request.body = body;
    post(http_, std::move(request), name(), stop);
  }

 private:
  SentrySettings settings_;
  Reporter reporter_;
  HttpClient& http_;
};

}  // namespace

SentrySettings parse_sentry_dsn(std::string_view dsn) {
  const std::size_t scheme = dsn.find("://");
  const std::size_t at = dsn.find('@');
  const std::size_t project = dsn.rfind('/');
  const bool web = dsn.starts_with("https://") || dsn.starts_with("http://");
  if (!web || at == std::string_view::npos || project < at || project + 1 == dsn.size() ||
      at == scheme + 3) {
    throw Error(ErrorKind::Usage,
                "this is not a DSN of Sentry: https://KEY@HOST/PROJECT is expected");
  }
  const std::size_t host_end = dsn.find('/', at);
  SentrySettings settings;
  settings.origin =
      fmt::format("{}://{}", dsn.substr(0, scheme), dsn.substr(at + 1, host_end - at - 1));
  settings.path = fmt::format("{}/api/{}/envelope/", dsn.substr(host_end, project - host_end),
                              dsn.substr(project + 1));
  const std::string_view keys = dsn.substr(scheme + 3, at - scheme - 3);
  settings.key = keys.substr(0, keys.find(':'));  // old DSNs have a second, secret one behind it
  return settings;
}

std::string rollbar_item(const ErrorReport& report, const Reporter& reporter) {
  return dump({{"data",
                {{"environment", reporter.environment},
                 {"body", {{"message", {{"body", report.message}}}}},
                 {"level", report.level},
                 {"timestamp", report.at},
                 {"code_version", report.version},
                 {"platform", "linux"},
                 {"language", "c++"},
                 {"context", report.event},
                 {"fingerprint", report.fingerprint},
                 {"title", title_of(report)},
                 {"uuid", report.id},
                 {"server", {{"host", reporter.host}}},
                 {"custom", context_of(report, reporter)},
                 {"notifier", {{"name", "re_dms"}, {"version", RE_DMS_VERSION}}}}}});
}

std::string sentry_envelope(const ErrorReport& report, const Reporter& reporter) {
  const std::string level = report.level == "critical" ? "fatal" : report.level;
  Json tags = {{"event", report.event}, {"slot", reporter.slot}};
  if (!report.table.empty()) {
    tags["table"] = report.table;
  }
  if (!report.sqlstate.empty()) {
    tags["sqlstate"] = report.sqlstate;
  }
  const std::string event = dump({{"event_id", report.id},
                                  {"timestamp", report.at},
                                  {"platform", "other"},
                                  {"level", level},
                                  {"logger", "re_dms"},
                                  {"release", "re_dms@" + report.version},
                                  {"environment", reporter.environment},
                                  {"server_name", reporter.host},
                                  {"logentry", {{"formatted", report.message}}},
                                  {"transaction", report.event},
                                  {"fingerprint", Json::array({report.fingerprint})},
                                  {"tags", tags},
                                  {"extra", context_of(report, reporter)}});
  const std::string header = dump({{"event_id", report.id}});
  const std::string item = dump({{"type", "event"}, {"length", event.size()}});
  return header + "\n" + item + "\n" + event + "\n";
}

std::unique_ptr<ReportService> open_rollbar(const RollbarSettings& settings, Reporter reporter,
                                            HttpClient& http) {
  return std::make_unique<Rollbar>(settings, std::move(reporter), http);
}

std::unique_ptr<ReportService> open_sentry(const SentrySettings& settings, Reporter reporter,
                                           HttpClient& http) {
  return std::make_unique<Sentry>(settings, std::move(reporter), http);
}

}  // namespace re_dms
