#include "stage/s3_client.h"

#include <exception>

#include "aws/signer.h"
#include "base/error.h"
#include "observe/log.h"

namespace re_dms {

namespace {

/// How long a stopped run may take to remove what nobody needs any more.
constexpr std::chrono::milliseconds kLastPatience{3000};

}  // namespace

std::string s3_region(const S3Settings& settings) {
  const std::string region =
      settings.region.empty() ? wire_s3(settings, {}).region : settings.region;
  const auto location = parse_s3_url(settings.url);
  const bool is_said = !region.empty() || (location && location->is_access_point());
  return is_said ? s3_address(settings, region).region : std::string();
}

S3Wiring wire_s3(const S3Settings& settings, std::stop_token stop) {
  HttpSettings http_settings;
  http_settings.ca_file = settings.ca_file;
  http_settings.proxy = settings.proxy;
  const std::shared_ptr<HttpClient> http = open_http_client(std::move(http_settings));
  AwsContext context = process_context(*http, real_clock());
  context.profile = settings.profile;
  const std::string region = configured_region(context);
  context.region = settings.region.empty() ? region : settings.region;
  // The chain uses the client: it goes with it.
  std::shared_ptr<CredentialChain> chain(open_credentials(context).release(),
                                         [http](CredentialChain* credentials) {
                                           std::default_delete<CredentialChain>()(credentials);
                                         });
  S3Wiring wiring{http, std::move(chain), real_clock(), region, std::move(stop)};
  return wiring;
}

S3Client::S3Client(const S3Settings& settings, S3Wiring wiring)
    : wiring_(std::move(wiring)),
      address_(s3_address(settings, settings.region.empty() ? wiring_.region : settings.region)) {
  root_ = settings.url;
  while (root_.ends_with('/')) {
    root_.pop_back();
  }
  root_ += '/';
}

HttpResponse S3Client::send(const S3Request& request, const S3Question& question) const {
  if (request.even_when_stopped && wiring_.stop.stop_requested()) {
    return try_once(request, question, {});
  }
  HttpResponse response;
  Retry retry(wiring_.retry, [](const Error& error, std::chrono::milliseconds pause) {
    log(LogLevel::Info, "s3_repeats", error.message(), {{"pause_ms", pause.count()}});
  });
  retry.run_for(wiring_.patience, wiring_.clock, wiring_.stop,
                [&] { response = try_once(request, question, wiring_.stop); });
  return response;
}

HttpRequest S3Client::http_request(const S3Request& request) const {
  HttpRequest sent;
  sent.method = request.method;
  sent.origin = address_.origin;
  sent.path = address_.bucket_path;
  if (!request.key.empty()) {
    sent.path += "/" + percent_encode(address_.prefix + request.key, "/");
  } else if (sent.path.empty()) {
    sent.path = "/";
  }
  sent.query = request.query;
  sent.headers = request.headers;
  sent.body = request.body;
  if (request.even_when_stopped && wiring_.stop.stop_requested()) {
    sent.patience = kLastPatience;
  }
  return sent;
}

HttpResponse S3Client::try_once(const S3Request& request, const S3Question& question,
                                const std::stop_token& stop) const {
  bool renewed = false;
  for (;;) {
    const Credentials credentials = wiring_.credentials->get(stop);
    HttpRequest sent = http_request(request);
    const SystemTime now = wiring_.clock.now();
    sign(sent, credentials, {address_.region, "s3"}, now);
    HttpResponse response;
    try {
      response = wiring_.http->send(sent, stop);
    } catch (const Stopped&) {
      throw;
    } catch (Error& error) {
      error.in(question.what);
      throw;
    }
    if (response.status >= 200 && response.status < 300) {
      return response;
    }
    const S3Failure failure = failure_of(response);
    if (!is_about_keys(failure) || renewed || credentials.fixed) {
      throw_failure(failure, question, address_, credentials, now);
    }
    wiring_.credentials->refused(credentials);
    renewed = true;
  }
}

}  // namespace re_dms
