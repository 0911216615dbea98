#include <fmt/format.h>

#include <utility>

#include "aws/credential_json.h"
#include "aws/credential_sources.h"
#include "base/error.h"
#include "base/retry.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kMetadataPatience{1000};
constexpr int kMetadataTries = 2;
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";

class InstanceSource final : public CredentialSource {
 public:
  explicit InstanceSource(AwsContext context) : context_(std::move(context)) {
    if (const auto endpoint = context_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
      origin_ = *endpoint;
      while (origin_.ends_with('/')) {
        origin_.pop_back();
      }
    } else if (context_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or("") == "IPv6") {
      origin_ = "http://[fd00:ec2::254]";
    }
  }

  std::string name() const override { return "instance metadata"; }

  SourceAnswer ask(const std::stop_token& stop) override {
    if (context_.variable("AWS_EC2_METADATA_DISABLED").value_or("") == "true") {
      return {std::nullopt, "AWS_EC2_METADATA_DISABLED is true"};
    }
    HttpResponse token;
    try {
      token = fetch("PUT", "/latest/api/token", {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                    stop);
    } catch (const Stopped&) {
      throw;
    } catch (const Error&) {
      return {std::nullopt,
              fmt::format("{} does not answer; this is no EC2 instance, or a container for which "
                          "the instance's metadata hop limit is too small",
                          origin_),
              true};
    }
    if (token.status != 200) {
      return {std::nullopt,
              fmt::format("{} answered {} to the request for a token", origin_, token.status)};
    }
    const std::vector<HttpHeader> headers = {{"x-aws-ec2-metadata-token", token.body}};
    const HttpResponse role = fetch("GET", std::string(kRolePath), headers, stop);
    if (role.status == 404 || role.body.empty()) {
      return {std::nullopt, "the instance has no role"};
    }
    const std::string name = role.body.substr(0, role.body.find_first_of("\r\n"));
    const HttpResponse keys =
        fetch("GET", std::string(kRolePath) + percent_encode(name, "/+=,@"), headers, stop);
    if (keys.status != 200 || role.status != 200) {
      throw Error(ErrorKind::Transient,
                  fmt::format("{} answered {} for the instance's role", origin_,
                              role.status != 200 ? role.status : keys.status));
    }
    Credentials credentials = credentials_of_json(keys.body, "Token");
    credentials.source = fmt::format("role {} of the instance", name);
    return {std::move(credentials), {}};
  }

 private:
  HttpResponse fetch(const std::string& method, const std::string& path,
                     const std::vector<HttpHeader>& headers, const std::stop_token& stop) const {
    HttpRequest request;
    request.method = method;
    request.origin = origin_;
    request.path = path;
    request.headers = headers;
    request.patience = kMetadataPatience;
    request.direct = true;
    for (int tries = 1;; ++tries) {
      try {
        HttpResponse response = context_.http.send(request, stop);
        if (response.status < 500 || tries == kMetadataTries) {
          return response;
        }
      } catch (const Stopped&) {
        throw;
      } catch (const Error&) {
        if (tries == kMetadataTries) {
          throw;
        }
      }
    }
  }

  AwsContext context_;
  std::string origin_ = "http://169.254.169.254";
};

}  // namespace

std::unique_ptr<CredentialSource> instance_source(const AwsContext& context) {
  return std::make_unique<InstanceSource>(context);
}

}  // namespace re_dms
