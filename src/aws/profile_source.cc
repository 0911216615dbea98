#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aws/credential_json.h"
#include "aws/credential_sources.h"
#include "aws/shared_files.h"
#include "aws/single_sign_on.h"
#include "aws/sts.h"
#include "base/error.h"
#include "base/shell_command.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kCommandPatience{60};

/// One way through the profiles, from the one that was asked for to keys. Read anew each time: keys
/// in the files may have been replaced.
class ProfileWay {
 public:
  ProfileWay(const AwsContext& context, const std::stop_token& stop)
      : context_(context), files_(context), stop_(stop) {}

  bool has(const std::string& profile) const { return files_.has_profile(profile); }

  Credentials credentials_of(const std::string& profile) {
    const bool seen = std::ranges::find(visited_, profile) != visited_.end();
    visited_.push_back(profile);
    if (!files_.has_profile(profile)) {
      fail(
          profile, "is not there",
          fmt::format("Add it to {}, or name another one in stage.profile", config_path(context_)));
    }
    // A profile may name itself as the source of its role: then its own keys are meant.
    if (!seen && !value(profile, "role_arn").empty()) {
      return role_of(profile);
    }
    if (!value(profile, "aws_access_key_id").empty()) {
      return keys_of(profile);
    }
    if (seen) {
      fail(profile, "is its own source_profile, by way of others", "Correct source_profile");
    }
    if (!value(profile, "sso_session").empty() || !value(profile, "sso_start_url").empty()) {
      return sso_of(profile);
    }
    if (!value(profile, "credential_process").empty()) {
      return written_by_command(profile);
    }
    fail(profile, "has no keys, role_arn, sso_session or credential_process",
         "Add one of them, or unset AWS_PROFILE and stage.profile");
  }

 private:
  std::string value(const std::string& profile, const std::string& key) const {
    return files_.value(profile, key);
  }

  [[noreturn]] void fail(const std::string& profile, const std::string& problem,
                         const std::string& advice) const {
    throw Error(ErrorKind::Fatal, fmt::format("profile \"{}\" {}", profile, problem), advice);
  }

  Credentials keys_of(const std::string& profile) const {
    Credentials credentials{value(profile, "aws_access_key_id"),
                            value(profile, "aws_secret_access_key"),
                            value(profile, "aws_session_token")};
    if (credentials.secret_access_key.empty()) {
      fail(profile, "has aws_access_key_id and no aws_secret_access_key", "Add it");
    }
    credentials.source = fmt::format("keys of profile \"{}\"", profile);
    return credentials;
  }

  Credentials role_of(const std::string& profile) {
    RoleRequest role;
    role.role_arn = value(profile, "role_arn");
    role.session_name = value(profile, "role_session_name");
    role.external_id = value(profile, "external_id");
    role.duration_seconds = value(profile, "duration_seconds");
    if (!value(profile, "mfa_serial").empty()) {
      fail(profile, "needs a code of a device (mfa_serial), which a daemon cannot enter",
           "Use a role without mfa_serial for the daemon");
    }
    if (const std::string path = value(profile, "web_identity_token_file"); !path.empty()) {
      const auto token = context_.file(path);
      if (!token) {
        throw Error(ErrorKind::Transient, path + " (web_identity_token_file) is not there");
      }
      return assume_role_with_web_identity(
          context_, role, token->substr(0, token->find_last_not_of(" \r\n") + 1), stop_);
    }
    if (const std::string source = value(profile, "source_profile"); !source.empty()) {
      return assume_role(context_, role, credentials_of(source), stop_);
    }
    return assume_role(context_, role, from_place(profile, value(profile, "credential_source")),
                       stop_);
  }

  Credentials from_place(const std::string& profile, const std::string& place) const {
    std::unique_ptr<CredentialSource> source;
    if (place == "Environment") {
      source = environment_source(context_);
    } else if (place == "EcsContainer") {
      source = container_source(context_);
    } else if (place == "Ec2InstanceMetadata") {
      source = instance_source(context_);
    } else {
      fail(profile, "has role_arn and neither source_profile nor a known credential_source",
           "Add source_profile, or credential_source = Environment, EcsContainer or "
           "Ec2InstanceMetadata");
    }
    SourceAnswer answer = source->ask(stop_);
    if (!answer.credentials) {
      throw Error(answer.unreachable ? ErrorKind::Transient : ErrorKind::Fatal,
                  fmt::format("profile \"{}\" takes credentials from {}: {}", profile,
                              source->name(), answer.why_not));
    }
    return *std::move(answer.credentials);
  }

  Credentials sso_of(const std::string& profile) const {
    SingleSignOn sign_on;
    sign_on.session = value(profile, "sso_session");
    sign_on.account = value(profile, "sso_account_id");
    sign_on.role = value(profile, "sso_role_name");
    if (sign_on.session.empty()) {
      sign_on.start_url = value(profile, "sso_start_url");
      sign_on.region = value(profile, "sso_region");
    } else {
      sign_on.start_url = files_.session_value(sign_on.session, "sso_start_url");
      sign_on.region = files_.session_value(sign_on.session, "sso_region");
    }
    if (sign_on.account.empty() || sign_on.role.empty() || sign_on.region.empty()) {
      fail(profile, "lacks sso_account_id, sso_role_name or its session's sso_region", "Add it");
    }
    return role_of_single_sign_on(context_, sign_on, profile, stop_);
  }

  Credentials written_by_command(const std::string& profile) const {
    const CommandOutcome outcome =
        run_shell_command(value(profile, "credential_process"), kCommandPatience);
    if (!outcome.failure.empty()) {
      throw Error(ErrorKind::Transient,
                  fmt::format("credential_process of profile \"{}\" {}", profile, outcome.failure),
                  "Run the command by hand as the daemon's user");
    }
    try {
      Credentials credentials = credentials_of_json(outcome.output, "SessionToken");
      credentials.source = fmt::format("credential_process of profile \"{}\"", profile);
      return credentials;
    } catch (Error& error) {
      error.in(fmt::format("credential_process of profile \"{}\"", profile));
      throw;
    }
  }

  const AwsContext& context_;
  SharedFiles files_;
  const std::stop_token& stop_;
  std::vector<std::string> visited_;
};

class ProfileSource final : public CredentialSource {
 public:
  explicit ProfileSource(AwsContext context) : context_(std::move(context)) {}

  std::string name() const override { return "profile"; }

  SourceAnswer ask(const std::stop_token& stop) override {
    ProfileWay way(context_, stop);
    const std::string profile = profile_name(context_);
    const bool asked_for = !context_.profile.empty() || context_.variable("AWS_PROFILE");
    if (!way.has(profile) && !asked_for) {
      return {std::nullopt, fmt::format("no profile \"{}\" in {} or {}", profile,
                                        config_path(context_), credentials_path(context_))};
    }
    if (!asked_for && !has_credentials(profile)) {
      return {std::nullopt, fmt::format("profile \"{}\" names no credentials", profile)};
    }
    return {way.credentials_of(profile), {}};
  }

 private:
  /// A default profile often has nothing but a region.
  bool has_credentials(const std::string& profile) const {
    const SharedFiles files(context_);
    const auto set = [&](const char* key) { return !files.value(profile, key).empty(); };
    return set("aws_access_key_id") || set("role_arn") || set("sso_session") ||
           set("sso_start_url") || set("credential_process");
  }

  AwsContext context_;
};

}  // namespace

std::unique_ptr<CredentialSource> profile_source(const AwsContext& context) {
  return std::make_unique<ProfileSource>(context);
}

}  // namespace re_dms
