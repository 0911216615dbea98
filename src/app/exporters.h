// Whom the daemon tells of its metrics and errors by itself, as the configuration says.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/config.h"
#include "aws/http_client.h"
#include "model/check.h"
#include "observe/metrics.h"
#include "telemetry/error_reporter.h"
#include "telemetry/metric_push.h"

namespace re_dms {

/// Reports warnings and errors of the log, and the crash of an earlier process, until it is
/// destroyed; null where nobody is to be told. Where its directory cannot be used, that is logged
/// and nobody is told. Everything outlives it; it outlives all that logs.
std::unique_ptr<ErrorReporter> open_error_reporter(const Config& config, HttpClient& http,
                                                   Metrics& metrics);

/// One for each service that is to get metrics. `refresh` sets the gauges.
std::vector<std::unique_ptr<MetricPush>> open_metric_pushes(const Config& config, Metrics& metrics,
                                                            const std::function<void()>& refresh);

/// What `check` says of them. Asks AWS for credentials, looks names up and connects; sends no
/// metric and no report.
std::vector<CheckResult> check_exporters(const Config& config);

}  // namespace re_dms
