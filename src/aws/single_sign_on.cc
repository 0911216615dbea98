#include "aws/single_sign_on.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>

#include "aws/credential_json.h"
#include "aws/sts.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kPortalPatience{10'000};

std::string sha1_hex(const std::string& text) {
  std::array<unsigned char, 20> digest{};
  RE_DMS_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) ==
               1);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

[[noreturn]] void ask_to_sign_on(const std::string& problem, const std::string& profile) {
  throw Error(ErrorKind::Transient, problem,
              fmt::format("Run `aws sso login --profile {}` as the daemon's user; for a daemon a "
                          "role that needs nobody suits better",
                          profile));
}

std::string cached_token(const AwsContext& context, const SingleSignOn& sign_on,
                         const std::string& profile) {
  const std::string path =
      fmt::format("{}/.aws/sso/cache/{}.json", context.variable("HOME").value_or(""),
                  sha1_hex(sign_on.session.empty() ? sign_on.start_url : sign_on.session));
  const auto text = context.file(path);
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!json.is_object() || !json.contains("accessToken") || !json["accessToken"].is_string()) {
    ask_to_sign_on(fmt::format("nobody has signed on for profile \"{}\" (no {})", profile, path),
                   profile);
  }
  const std::string expires_text = json.value("expiresAt", "");
  const auto expires = time_of_text(expires_text);
  if (!expires || *expires <= context.clock.now()) {
    ask_to_sign_on(fmt::format("the sign-on of profile \"{}\" ended at {}", profile, expires_text),
                   profile);
  }
  return json["accessToken"];
}

}  // namespace

Credentials role_of_single_sign_on(const AwsContext& context, const SingleSignOn& sign_on,
                                   const std::string& profile, const std::stop_token& stop) {
  HttpRequest request;
  request.origin = service_origin(
      context, "SSO",
      fmt::format("https://portal.sso.{}.{}", sign_on.region, domain_of_region(sign_on.region)));
  request.path = "/federation/credentials";
  request.query = {{"role_name", sign_on.role}, {"account_id", sign_on.account}};
  request.headers = {{"x-amz-sso_bearer_token", cached_token(context, sign_on, profile)}};
  request.patience = kPortalPatience;
  const HttpResponse response = context.http.send(request, stop);
  if (response.status == 401) {
    ask_to_sign_on(fmt::format("the sign-on of profile \"{}\" is not valid any more", profile),
                   profile);
  }
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (response.status != 200 || !json.is_object()) {
    const bool passing = response.status >= 500 || response.status == 429;
    throw Error(passing ? ErrorKind::Transient : ErrorKind::Fatal,
                fmt::format("{} answered {} for role {} of account {}", request.origin,
                            response.status, sign_on.role, sign_on.account),
                passing ? "" : "See whether who has signed on may use that role");
  }
  const auto role = json.value("roleCredentials", nlohmann::json::object());
  Credentials credentials{role.value("accessKeyId", ""), role.value("secretAccessKey", ""),
                          role.value("sessionToken", "")};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    throw Error(ErrorKind::Transient, request.origin + " answered without credentials");
  }
  const std::chrono::milliseconds since_epoch(role.value("expiration", std::int64_t{0}));
  credentials.expires = SystemTime(since_epoch);
  credentials.source = fmt::format("single sign-on of profile \"{}\"", profile);
  return credentials;
}

}  // namespace re_dms
