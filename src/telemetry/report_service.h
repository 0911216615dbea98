// Services that collect error reports, as they want them: Rollbar and Sentry.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "aws/http_client.h"
#include "telemetry/error_report.h"

namespace re_dms {

/// Who reports.
struct Reporter {
  std::string environment;  ///< "production"
  std::string host;         ///< of this machine
  std::string slot;
};

class ReportService {
 public:
  virtual ~ReportService() = default;
  /// "Rollbar", "Sentry".
  virtual std::string_view name() const = 0;

  /// Returns when the service has it. Throws Transient when it cannot be reached, is overloaded or
  /// asks to come later; Fatal when it refuses this report for good; Stopped.
  virtual void send(const ErrorReport& report, const std::stop_token& stop) = 0;
};

struct RollbarSettings {
  std::string token;
  std::string origin = "https://api.rollbar.com";
};

struct SentrySettings {
  std::string origin;  ///< "https://o1.ingest.sentry.io"
  std::string path;    ///< "/api/42/envelope/"
  std::string key;
};

/// A DSN such as "https://key@o1.ingest.sentry.io/42". Throws Usage; the text shows no key.
SentrySettings parse_sentry_dsn(std::string_view dsn);

/// What Rollbar's item API takes: the body of POST /api/1/item/.
std::string rollbar_item(const ErrorReport& report, const Reporter& reporter);

/// What Sentry takes: an envelope with one event.
std::string sentry_envelope(const ErrorReport& report, const Reporter& reporter);

/// `http` outlives them.
std::unique_ptr<ReportService> open_rollbar(const RollbarSettings& settings, Reporter reporter,
                                            HttpClient& http);
std::unique_ptr<ReportService> open_sentry(const SentrySettings& settings, Reporter reporter,
                                           HttpClient& http);

}  // namespace re_dms
