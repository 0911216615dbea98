// Metrics for Amazon CloudWatch: PutMetricData, signed with the same credentials as S3.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "aws/http_client.h"
#include "base/clock.h"
#include "base/retry.h"
#include "telemetry/metric_push.h"
#include "telemetry/samples.h"

namespace re_dms {

struct CloudWatchSettings {
  std::string space{};    ///< the namespace
  std::string slot{};     ///< value of the dimension "Slot", which every metric has
  std::string region{};   ///< empty: what the surroundings say
  std::string profile{};  ///< of AWS's files; empty: the usual credentials
  std::string ca_file{};  ///< as HttpSettings has it
  std::string proxy{};    ///< as HttpSettings has it
};

/// Bodies of PutMetricData, version 2010-08-01, each with at most 1,000 metrics and 1 MB before it
/// is compressed. Names and labels are those of /metrics; series of single tables are left out, as
/// each would be paid for.
std::vector<MetricParcel> cloudwatch_bodies(const std::vector<Sample>& samples,
                                            const CloudWatchSettings& settings, SystemTime now);

/// As one gzip member.
std::string gzip(std::string_view text);

/// What CloudWatch is asked by. A seam; references outlive it.
struct CloudWatchWiring {
  HttpClient& http;
  CredentialChain& credentials;
  Clock& clock;
  std::string origin;  ///< "https://monitoring.eu-west-1.amazonaws.com"
  std::string region;
  RetryPolicy retry = retry_policy();
  /// How long a request that fails for a reason that may pass is repeated.
  std::chrono::milliseconds patience{45'000};
};

/// Sends one body. Throws Transient when CloudWatch cannot be reached or is overloaded for longer
/// than the patience, Fatal when it refuses, Stopped.
void put_metrics(const CloudWatchWiring& wiring, const std::string& body,
                 const std::stop_token& stop);

/// Throws Usage where the region is neither configured nor found.
std::unique_ptr<MetricReceiver> open_cloudwatch(const CloudWatchSettings& settings);

/// Asks for credentials only; what `check` shows: where they are from. Throws Error.
std::string check_cloudwatch(const CloudWatchSettings& settings);

}  // namespace re_dms
