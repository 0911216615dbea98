#include <utility>

#include "aws/credential_sources.h"
#include "base/error.h"

namespace re_dms {

namespace {

class EnvironmentSource final : public CredentialSource {
 public:
  explicit EnvironmentSource(AwsContext context) : context_(std::move(context)) {}

  std::string name() const override { return "environment"; }

  SourceAnswer ask(const std::stop_token&) override {
    const auto id = context_.variable("AWS_ACCESS_KEY_ID");
    const auto secret = context_.variable("AWS_SECRET_ACCESS_KEY");
    if (!id && !secret) {
      return {std::nullopt, "AWS_ACCESS_KEY_ID is not set"};
    }
    if (!id || !secret) {
      throw Error(ErrorKind::Fatal,
                  id ? "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not"
                     : "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not",
                  "Set both, or none of them");
    }
    return {Credentials{*id, *secret, context_.variable("AWS_SESSION_TOKEN").value_or(""),
                        std::nullopt, "environment variable AWS_ACCESS_KEY_ID", true},
            {}};
  }

 private:
  AwsContext context_;
};

}  // namespace

std::unique_ptr<CredentialSource> environment_source(const AwsContext& context) {
  return std::make_unique<EnvironmentSource>(context);
}

}  // namespace re_dms
