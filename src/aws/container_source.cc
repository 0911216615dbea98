#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aws/credential_json.h"
#include "aws/credential_sources.h"
#include "base/error.h"
#include "base/retry.h"

namespace re_dms {

namespace {

constexpr std::string_view kTaskOrigin = "http://169.254.170.2";
constexpr std::chrono::milliseconds kContainerPatience{2000};
constexpr int kContainerTries = 3;

/// Without TLS the keys may only come from the machine itself or its container agent.
bool may_be_plain(std::string_view host) {
  const std::string_view name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "localhost" || name.starts_with("127.") || name == "[::1]" ||
         name == "169.254.170.2" || name == "169.254.170.23" || name == "[fd00:ec2::23]";
}

class ContainerSource final : public CredentialSource {
 public:
  explicit ContainerSource(AwsContext context) : context_(std::move(context)) {}

  std::string name() const override { return "container"; }

  SourceAnswer ask(const std::stop_token& stop) override {
    const auto relative = context_.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = context_.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) {
      return {std::nullopt, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set"};
    }
    HttpRequest request =
        relative ? request_to(std::string(kTaskOrigin) + *relative) : request_to(*full);
    add_token(request);
    Credentials credentials = credentials_of_json(fetch(request, stop), "Token");
    credentials.source = "container credentials of " + request.origin;
    return {std::move(credentials), {}};
  }

 private:
  static HttpRequest request_to(const std::string& url) {
    HttpRequest request;
    const std::size_t scheme = url.find("://");
    const std::size_t path = scheme == url.npos ? url.npos : url.find('/', scheme + 3);
    request.origin = url.substr(0, path);
    if (path != url.npos) {
      request.path = url.substr(path);  // with its query, which is not ours
    }
    request.patience = kContainerPatience;
    request.direct = true;
    if (!url.starts_with("https://") &&
        !(url.starts_with("http://") && may_be_plain(request.host()))) {
      throw Error(ErrorKind::Fatal,
                  fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI is {}, which is neither https:// "
                              "nor an address of this machine",
                              request.origin),
                  "Unset the variable, or correct it");
    }
    return request;
  }

  /// Read each time: the file is replaced before the token in it expires.
  void add_token(HttpRequest& request) const {
    std::string token = context_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
    if (const auto path = context_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
      const auto content = context_.file(*path);
      if (!content) {
        throw Error(ErrorKind::Transient,
                    *path + " (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) is not there");
      }
      token = *content;
    }
    std::erase_if(token, [](char c) { return c == '\n' || c == '\r'; });
    if (!token.empty()) {
      request.headers.push_back({"authorization", token});
    }
  }

  std::string fetch(const HttpRequest& request, const std::stop_token& stop) const {
    for (int tries = 1;; ++tries) {
      try {
        HttpResponse response = context_.http.send(request, stop);
        if (response.status == 200) {
          return std::move(response.body);
        }
        throw Error(ErrorKind::Transient,
                    fmt::format("{} answered {}", request.origin, response.status));
      } catch (const Stopped&) {
        throw;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::Transient || tries == kContainerTries) {
          throw;
        }
      }
      if (!wait_for(std::chrono::milliseconds(100) * tries, stop)) {
        throw Stopped();
      }
    }
  }

  AwsContext context_;
};

}  // namespace

std::unique_ptr<CredentialSource> container_source(const AwsContext& context) {
  return std::make_unique<ContainerSource>(context);
}

}  // namespace re_dms
