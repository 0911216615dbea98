#include "aws/sts.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "aws/credential_json.h"
#include "aws/query_api.h"
#include "aws/signer.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kServicePatience{10'000};
// The region of the service's global endpoint.
constexpr const char* kGlobalRegion = "us-east-1";

Form form_of(const std::string& action, const RoleRequest& role) {
  Form form = {{"Action", action},
               {"Version", "2011-06-15"},
               {"RoleArn", role.role_arn},
               {"RoleSessionName", role.session_name.empty() ? "re_dms" : role.session_name}};
  if (!role.external_id.empty()) {
    form.emplace_back("ExternalId", role.external_id);
  }
  if (!role.duration_seconds.empty()) {
    form.emplace_back("DurationSeconds", role.duration_seconds);
  }
  return form;
}

Credentials credentials_of_xml(const std::string& body, const std::string& action) {
  pugi::xml_document document;
  document.load_buffer(body.data(), body.size());
  const pugi::xml_node node = document.child((action + "Response").c_str())
                                  .child((action + "Result").c_str())
                                  .child("Credentials");
  Credentials credentials{node.child_value("AccessKeyId"), node.child_value("SecretAccessKey"),
                          node.child_value("SessionToken")};
  credentials.expires = time_of_text(node.child_value("Expiration"));
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      !credentials.expires) {
    throw Error(ErrorKind::Transient, "the answer of STS has no credentials");
  }
  return credentials;
}

[[noreturn]] void refuse(const HttpResponse& response, const HttpRequest& request,
                         const RoleRequest& role) {
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node error = document.child("ErrorResponse").child("Error");
  const std::string code = error.child_value("Code");
  const bool passing = response.status >= 500 || response.status == 429 || code == "Throttling" ||
                       code == "IDPCommunicationError" || code == "RequestLimitExceeded";
  throw Error(passing ? ErrorKind::Transient : ErrorKind::Fatal,
              fmt::format("STS ({}) refuses role {}: {} {} {}", request.origin, role.role_arn,
                          response.status, code, error.child_value("Message")),
              passing ? ""
                      : "See whether the role's trust policy names who asks, and who asks may do "
                        "sts:AssumeRole on it");
}

Credentials ask_sts(const AwsContext& context, const std::string& action, const RoleRequest& role,
                    const Form& form, const Credentials* signed_by, const std::stop_token& stop) {
  const std::string region = context.region.empty() ? kGlobalRegion : context.region;
  const std::string body = form_text(form);
  HttpRequest request;
  request.method = "POST";
  request.origin = service_origin(
      context, "STS", fmt::format("https://sts.{}.{}", region, domain_of_region(region)));
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = body;
  request.patience = kServicePatience;
  if (signed_by != nullptr) {
    sign(request, *signed_by, {region, "sts"}, context.clock.now());
  }
  const HttpResponse response = context.http.send(request, stop);
  if (response.status != 200) {
    refuse(response, request, role);
  }
  Credentials credentials = credentials_of_xml(response.body, action);
  credentials.source = "role " + role.role_arn;
  return credentials;
}

}  // namespace

std::string domain_of_region(const std::string& region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::string service_origin(const AwsContext& context, const std::string& service,
                           const std::string& otherwise) {
  auto given = context.variable("AWS_ENDPOINT_URL_" + service);
  if (!given) {
    given = context.variable("AWS_ENDPOINT_URL");
  }
  std::string origin = given.value_or(otherwise);
  while (origin.ends_with('/')) {
    origin.pop_back();
  }
  return origin;
}

Credentials assume_role(const AwsContext& context, const RoleRequest& role,
                        const Credentials& credentials, const std::stop_token& stop) {
  return ask_sts(context, "AssumeRole", role, form_of("AssumeRole", role), &credentials, stop);
}

Credentials assume_role_with_web_identity(const AwsContext& context, const RoleRequest& role,
                                          const std::string& token, const std::stop_token& stop) {
  const std::string action = "AssumeRoleWithWebIdentity";
  Form form = form_of(action, role);
  form.emplace_back("WebIdentityToken", token);
  return ask_sts(context, action, role, form, nullptr, stop);
}

}  // namespace re_dms
