// Requests to one bucket: signed, repeated where that helps, and refusals turned into errors.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/http_client.h"
#include "base/clock.h"
#include "base/retry.h"
#include "stage/s3_address.h"
#include "stage/s3_failure.h"

namespace re_dms {

/// What requests go out by. A seam.
struct S3Wiring {
  std::shared_ptr<HttpClient> http;
  std::shared_ptr<CredentialChain> credentials;
  Clock& clock;
  std::string region{};    ///< what the surroundings say; S3Settings::region comes first
  std::stop_token stop{};  ///< ends requests and pauses with Stopped
  RetryPolicy retry{std::chrono::milliseconds(200), std::chrono::milliseconds(5000)};
  /// From when on no request is repeated: the pipeline, which shows that it waits, goes on.
  std::chrono::milliseconds patience{30'000};
};

/// The bucket's region, as requests name it: the settings', the address's or what the surroundings
/// say; empty where none does.
std::string s3_region(const S3Settings& settings);

/// By libcurl, with the process's credentials.
S3Wiring wire_s3(const S3Settings& settings, std::stop_token stop);

struct S3Request {
  std::string method;
  std::string key;  ///< below the prefix; empty: the bucket
  std::vector<std::pair<std::string, std::string>> query{};
  std::vector<HttpHeader> headers{};
  std::string_view body{};
  /// Cleans up: when stop was requested before, it is tried all the same, once and for seconds.
  bool even_when_stopped = false;
};

/// From any thread.
class S3Client {
 public:
  S3Client(const S3Settings& settings, S3Wiring wiring);

  /// Returns an answer of status 2xx; throws as throw_failure and the sources of credentials do.
  /// What may pass is repeated for wiring.patience, with growing pauses. Keys that S3 refuses are
  /// asked for anew once.
  HttpResponse send(const S3Request& request, const S3Question& question) const;

  const S3Address& address() const { return address_; }

  const S3Wiring& wiring() const { return wiring_; }

  /// "s3://bucket/prefix/key".
  std::string url_of(const std::string& key) const { return root_ + key; }

  /// "s3://bucket/prefix/", or without a prefix "s3://bucket/".
  const std::string& root() const { return root_; }

 private:
  HttpRequest http_request(const S3Request& request) const;
  HttpResponse try_once(const S3Request& request, const S3Question& question,
                        const std::stop_token& stop) const;

  S3Wiring wiring_;
  S3Address address_;
  std::string root_;
};

}  // namespace re_dms
