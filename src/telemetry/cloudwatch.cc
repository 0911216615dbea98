#include "telemetry/cloudwatch.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <exception>
#include <pugixml.hpp>
#include <utility>

#include "aws/query_api.h"
#include "aws/signer.h"
#include "aws/sts.h"
#include "base/error.h"
#include "observe/log.h"

namespace re_dms {

namespace {

// CloudWatch API reference, PutMetricData: the bounds of a request.
constexpr std::size_t kMetricsMax = 1000;
constexpr std::size_t kBodyBytesMax = 1'000'000;
constexpr std::chrono::milliseconds kRequestPatience(15'000);

std::string_view unit_text(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::Bytes:
      return "Bytes";
    case MetricUnit::Seconds:
      return "Seconds";
    case MetricUnit::Count:
      return "Count";
    case MetricUnit::Timestamp:
    case MetricUnit::Position:
    case MetricUnit::Ratio:
    case MetricUnit::Flag:
      break;
  }
  return "None";
}

/// "2026-01-31T12:00:00Z".
std::string time_text(SystemTime time) {
  std::string text = to_text(time).substr(0, 19);
  text[10] = 'T';
  return text + "Z";
}

/// The fields of one metric, for its place in the request.
Form metric_form(const Sample& sample, std::size_t place, const CloudWatchSettings& settings,
                 const std::string& time) {
  const std::string at = fmt::format("MetricData.member.{}.", place);
  Form form = {{at + "MetricName", std::string(sample.metric->name)},
               {at + "Timestamp", time},
               {at + "Unit", std::string(unit_text(sample.metric->unit))},
               {at + "Dimensions.member.1.Name", "Slot"},
               {at + "Dimensions.member.1.Value", settings.slot}};
  if (!sample.metric->label.empty()) {
    form.emplace_back(at + "Dimensions.member.2.Name", std::string(sample.metric->label));
    form.emplace_back(at + "Dimensions.member.2.Value", sample.label);
  }
  if (sample.metric->type != MetricType::Histogram) {
    form.emplace_back(at + "Value", fmt::format("{}", sample.value));
    return form;
  }
  for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
    form.emplace_back(fmt::format("{}Values.member.{}", at, i + 1),
                      fmt::format("{}", sample.buckets[i].upper));
    form.emplace_back(fmt::format("{}Counts.member.{}", at, i + 1),
                      fmt::format("{}", sample.buckets[i].count));
  }
  return form;
}

/// A place in a body is a part of its text: a metric that does not fit begins the next one.
class Bodies {
 public:
  explicit Bodies(const CloudWatchSettings& settings, SystemTime now)
      : settings_(settings), time_(time_text(now)) {}

  void add(const Sample& sample) {
    if (sample.metric->label == "table") {
      ++passed_over_;
      return;
    }
    std::string text = "&" + form_text(metric_form(sample, place_, settings_, time_));
    const bool fits = place_ <= kMetricsMax && !bodies_.empty() &&
                      bodies_.back().text.size() + text.size() <= kBodyBytesMax;
    if (!fits) {
      place_ = 1;
      text = "&" + form_text(metric_form(sample, place_, settings_, time_));
      bodies_.push_back({form_text({{"Action", "PutMetricData"},
                                    {"Version", "2010-08-01"},
                                    {"Namespace", settings_.space}})});
    }
    bodies_.back().text += text;
    bodies_.back().samples += 1 + std::exchange(passed_over_, 0);
    ++place_;
  }

  std::vector<MetricParcel> take() { return std::move(bodies_); }

 private:
  const CloudWatchSettings& settings_;
  std::string time_;
  std::vector<MetricParcel> bodies_;
  std::size_t place_ = 1;
  std::size_t passed_over_ = 0;  ///< samples since the last one that was added
};

struct Refusal {
  std::string code;
  std::string message;
};

Refusal refusal_of(const HttpResponse& response) {
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node error = document.child("ErrorResponse").child("Error");
  return {error.child_value("Code"), error.child_value("Message")};
}

bool is_about_keys(const Refusal& refusal) {
  return refusal.code == "ExpiredToken" || refusal.code == "ExpiredTokenException" ||
         refusal.code == "InvalidClientTokenId" || refusal.code == "UnrecognizedClientException";
}

HttpResponse post(const CloudWatchWiring& wiring, const Credentials& credentials,
                  const std::string& body, const std::stop_token& stop) {
  HttpRequest request;
  request.method = "POST";
  request.origin = wiring.origin;
  request.headers = {{"content-type", "application/x-www-form-urlencoded"},
                     {"content-encoding", "gzip"}};
  request.body = body;
  request.patience = kRequestPatience;
  sign(request, credentials, {wiring.region, "monitoring"}, wiring.clock.now());
  return wiring.http.send(request, stop);
}

void put_once(const CloudWatchWiring& wiring, const std::string& body,
              const std::stop_token& stop) {
  for (bool renewed = false;; renewed = true) {
    const Credentials credentials = wiring.credentials.get(stop);
    const HttpResponse response = post(wiring, credentials, body, stop);
    if (response.status >= 200 && response.status < 300) {
      return;
    }
    const Refusal refusal = refusal_of(response);
    if (is_about_keys(refusal) && !renewed && !credentials.fixed) {
      wiring.credentials.refused(credentials);
      continue;
    }
    const bool passing = response.status >= 500 || response.status == 429 ||
                         refusal.code.starts_with("Throttling") ||
                         refusal.code == "RequestLimitExceeded";
    throw Error(
        passing ? ErrorKind::Transient : ErrorKind::Fatal,
        fmt::format("CloudWatch ({}) refuses metrics: {} {} {}, asked with {}", wiring.origin,
                    response.status, refusal.code, refusal.message, credentials.source),
        passing ? "" : "See whether its policy allows cloudwatch:PutMetricData");
  }
}

class CloudWatch final : public MetricReceiver {
 public:
  explicit CloudWatch(CloudWatchSettings settings)
      : settings_(std::move(settings)),
        http_(open_http_client({settings_.ca_file, settings_.proxy})),
        context_(process_context(*http_, real_clock())) {
    context_.profile = settings_.profile;
    context_.region = settings_.region.empty() ? configured_region(context_) : settings_.region;
    if (context_.region.empty()) {
      throw Error(ErrorKind::Usage, "no region for CloudWatch",
                  "Set observe.cloudwatch_region, or AWS_REGION in the environment");
    }
    credentials_ = open_credentials(context_);
  }

  std::string_view name() const override { return "cloudwatch"; }

  std::vector<MetricParcel> pack(const std::vector<Sample>& samples) override {
    return cloudwatch_bodies(samples, settings_, real_clock().now());
  }

  void send(const MetricParcel& parcel, const std::stop_token& stop) override {
    const CloudWatchWiring wiring{
        *http_, *credentials_, real_clock(),
        service_origin(context_, "CLOUDWATCH",
                       fmt::format("https://monitoring.{}.{}", context_.region,
                                   domain_of_region(context_.region))),
        context_.region};
    put_metrics(wiring, parcel.text, stop);
  }

  std::string credentials_source() { return credentials_->get({}).source; }

 private:
  CloudWatchSettings settings_;
  std::unique_ptr<HttpClient> http_;
  AwsContext context_;
  std::unique_ptr<CredentialChain> credentials_;
};

}  // namespace

std::vector<MetricParcel> cloudwatch_bodies(const std::vector<Sample>& samples,
                                            const CloudWatchSettings& settings, SystemTime now) {
  Bodies bodies(settings, now);
  for (const Sample& sample : samples) {
    bodies.add(sample);
  }
  return bodies.take();
}

std::string gzip(std::string_view text) {
  isal_zstream stream{};
  isal_deflate_stateless_init(&stream);
  std::string packed(text.size() + text.size() / 8 + 1024, '\0');
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  std::string input(text);  // ISA-L takes a pointer to bytes that may change
  stream.next_in = reinterpret_cast<std::uint8_t*>(input.data());
  stream.avail_in = static_cast<std::uint32_t>(input.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(packed.data());
  stream.avail_out = static_cast<std::uint32_t>(packed.size());
  if (isal_deflate_stateless(&stream) != COMP_OK) {
    throw Error(ErrorKind::Fatal, "cannot compress metrics");
  }
  packed.resize(stream.total_out);
  return packed;
}

void put_metrics(const CloudWatchWiring& wiring, const std::string& body,
                 const std::stop_token& stop) {
  const std::string packed = gzip(body);
  Retry retry(wiring.retry, [](const Error& error, std::chrono::milliseconds pause) {
    log(LogLevel::Debug, "metrics_repeated", error.message(), {{"pause_ms", pause.count()}});
  });
  retry.run_for(wiring.patience, wiring.clock, stop, [&] { put_once(wiring, packed, stop); });
}

std::unique_ptr<MetricReceiver> open_cloudwatch(const CloudWatchSettings& settings) {
  return std::make_unique<CloudWatch>(settings);
}

std::string check_cloudwatch(const CloudWatchSettings& settings) {
  return CloudWatch(settings).credentials_source();
}

}  // namespace re_dms
