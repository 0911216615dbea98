#include "app/observe_config.h"

#include <algorithm>
#include <limits>
#include <regex>
#include <string_view>

#include "aws/http_client.h"
#include "base/error.h"
#include "telemetry/report_service.h"

namespace re_dms {

namespace {

constexpr std::string_view kDefaultListen = "127.0.0.1:9847";

void read_interval(ConfigReader& reader, std::string_view key,
                   std::chrono::milliseconds& interval) {
  interval = reader.duration(key).value_or(interval);
  if (interval < std::chrono::milliseconds(100)) {
    reader.refuse(key, "100ms or more");
  }
}

void read_listen(ConfigReader& reader, ObserveSettings& observe) {
  const bool allow_remote = reader.flag("observe.allow_remote").value_or(false);
  const std::string listen = reader.text("observe.listen").value_or(std::string(kDefaultListen));
  observe.listen = parse_listen_address(listen);
  if (!observe.listen && listen != "off") {
    reader.refuse("observe.listen", R"(ADDRESS:PORT, such as "127.0.0.1:9847", or "off")");
  } else if (observe.listen && !observe.listen->is_loopback() && !allow_remote) {
    reader.refuse("observe.listen",
                  "an address of this machine only (127.0.0.1 or ::1); observe.allow_remote = true "
                  "opens it to others, without any password");
  }
}

void read_metrics(ConfigReader& reader, ObserveSettings& observe) {
  observe.table_metrics = static_cast<std::size_t>(
      reader.number("observe.table_metrics", 0, std::numeric_limits<int>::max())
          .value_or(static_cast<int>(observe.table_metrics)));
  read_interval(reader, "observe.slot_interval", observe.slot_interval);
  observe.statsd = reader.text("observe.statsd").value_or("");
  const std::size_t colon = observe.statsd.rfind(':');
  if (!observe.statsd.empty() &&
      (colon == std::string::npos || colon == 0 || colon + 1 == observe.statsd.size())) {
    reader.refuse("observe.statsd", R"(HOST:PORT, such as "127.0.0.1:8125")");
  }
  observe.statsd_tags = reader.flag("observe.statsd_tags").value_or(observe.statsd_tags);
  read_interval(reader, "observe.statsd_interval", observe.statsd_interval);
  observe.cloudwatch_namespace = reader.text("observe.cloudwatch_namespace").value_or("");
  if (observe.cloudwatch_namespace.starts_with("AWS/")) {
    reader.refuse("observe.cloudwatch_namespace", "a name that does not begin with AWS/");
  }
  observe.cloudwatch_region = reader.text("observe.cloudwatch_region").value_or("");
  read_interval(reader, "observe.cloudwatch_interval", observe.cloudwatch_interval);
}

void read_reports(ConfigReader& reader, ReportSettings& reports) {
  reports.rollbar_token = reader.text("observe.rollbar_token", Secrecy::Secret).value_or("");
  reports.rollbar_url = reader.text("observe.rollbar_url").value_or(RollbarSettings().origin);
  if (!reports.rollbar_url.starts_with("https://") && !reports.rollbar_url.starts_with("http://")) {
    reader.refuse("observe.rollbar_url", "\"https://HOST\"");
  }
  reports.sentry_dsn = reader.text("observe.sentry_dsn", Secrecy::Secret).value_or("");
  try {
    if (!reports.sentry_dsn.empty()) {
      parse_sentry_dsn(reports.sentry_dsn);
    }
  } catch (const Error& error) {
    reader.fault("observe.sentry_dsn", error.message());
  }
  reports.environment = reader.text("observe.environment").value_or(reports.environment);
  reports.values = reader.flag("observe.report_values").value_or(false);
  if (const auto level = reader.text("observe.report_level")) {
    reports.least = *level == "error" ? LogLevel::Error : LogLevel::Warn;
    if (*level != "error" && *level != "warning") {
      reader.refuse("observe.report_level", "\"warning\" or \"error\"");
    }
  }
}

}  // namespace

ObserveSettings read_observe(ConfigReader& reader, const std::string& journal) {
  ObserveSettings observe;
  read_listen(reader, observe);
  if (const auto format = reader.text("observe.log_format")) {
    if (*format == "text") {
      observe.log_format = LogFormat::Text;
    } else if (*format == "json") {
      observe.log_format = LogFormat::Json;
    } else {
      reader.refuse("observe.log_format",
                    R"("text", "json" or "" (text on a terminal, else json))");
    }
  }
  read_metrics(reader, observe);
  read_reports(reader, observe.reports);
  observe.reports.directory = journal + ".reports";
  return observe;
}

std::vector<std::string> passwords_in(const std::string& url) {
  static const std::regex kForms("://[^/:@]*:([^@/]+)@|\\bpassword\\s*=\\s*'?([^'\\s&]+)");
  std::vector<std::string> found;
  for (std::sregex_iterator at(url.begin(), url.end(), kForms); at != std::sregex_iterator();
       ++at) {
    const std::string text = (*at)[1].matched ? (*at)[1].str() : (*at)[2].str();
    found.push_back(text);
    if (const std::string plain = percent_decode(text); plain != text) {
      found.push_back(plain);
    }
  }
  return found;
}

}  // namespace re_dms
