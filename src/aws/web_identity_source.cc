#include <utility>

#include "aws/credential_sources.h"
#include "aws/sts.h"
#include "base/error.h"

namespace re_dms {

namespace {

class WebIdentitySource final : public CredentialSource {
 public:
  explicit WebIdentitySource(AwsContext context) : context_(std::move(context)) {}

  std::string name() const override { return "web identity"; }

  SourceAnswer ask(const std::stop_token& stop) override {
    const auto path = context_.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (!path) {
      return {std::nullopt, "AWS_WEB_IDENTITY_TOKEN_FILE is not set"};
    }
    RoleRequest role;
    role.role_arn = context_.variable("AWS_ROLE_ARN").value_or("");
    role.session_name = context_.variable("AWS_ROLE_SESSION_NAME").value_or("");
    if (role.role_arn.empty()) {
      throw Error(ErrorKind::Fatal, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not",
                  "Set AWS_ROLE_ARN to the role that the token is exchanged for");
    }
    // Read each time: the file is replaced before the token in it expires.
    const auto token = context_.file(*path);
    if (!token) {
      throw Error(ErrorKind::Transient, *path + " (AWS_WEB_IDENTITY_TOKEN_FILE) is not there");
    }
    return {assume_role_with_web_identity(
                context_, role, token->substr(0, token->find_last_not_of(" \r\n") + 1), stop),
            {}};
  }

 private:
  AwsContext context_;
};

}  // namespace

std::unique_ptr<CredentialSource> web_identity_source(const AwsContext& context) {
  return std::make_unique<WebIdentitySource>(context);
}

}  // namespace re_dms
