#include "aws/database_login.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "aws/query_api.h"
#include "aws/signer.h"
#include "aws/sts.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kLoginPatience{10'000};
constexpr const char* kLoginSeconds = "3600";

struct Question {
  const char* action;    ///< as IAM calls the right to it
  const char* endpoint;  ///< AWS_ENDPOINT_URL_…
  const char* service;   ///< of the signature and the host
  std::string body;
  std::vector<HttpHeader> headers;
};

Question ask_cluster(const LoginRequest& login) {
  const bool named = !login.user.empty();
  const char* const action = named ? "GetClusterCredentials" : "GetClusterCredentialsWithIAM";
  Form form = {{"Action", action},
               {"Version", "2012-12-01"},
               {"ClusterIdentifier", login.cluster},
               {"DbName", login.database},
               {"DurationSeconds", kLoginSeconds}};
  if (named) {
    form.emplace_back("DbUser", login.user);
    form.emplace_back("AutoCreate", "false");
  }
  return {named ? "redshift:GetClusterCredentials" : "redshift:GetClusterCredentialsWithIAM",
          "REDSHIFT",
          "redshift",
          form_text(form),
          {{"content-type", "application/x-www-form-urlencoded"}}};
}

Question ask_workgroup(const LoginRequest& login) {
  nlohmann::json body;
  body["workgroupName"] = login.workgroup;
  body["dbName"] = login.database;
  body["durationSeconds"] = std::stoi(kLoginSeconds);
  return {"redshift-serverless:GetCredentials",
          "REDSHIFT_SERVERLESS",
          "redshift-serverless",
          body.dump(),
          {{"content-type", "application/x-amz-json-1.1"},
           {"x-amz-target", "RedshiftServerless.GetCredentials"}}};
}

DatabaseLogin login_of_xml(const std::string& body) {
  pugi::xml_document document;
  document.load_buffer(body.data(), body.size());
  // "<Action>Response" around "<Action>Result".
  const pugi::xml_node result = document.first_child().first_child();
  return {result.child_value("DbUser"), result.child_value("DbPassword")};
}

DatabaseLogin login_of_json(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) {
    return {};
  }
  return {json.value("dbUser", ""), json.value("dbPassword", "")};
}

struct ServiceRefusal {
  std::string code;
  std::string message;
};

ServiceRefusal refusal_of(const std::string& body) {
  if (const auto json = nlohmann::json::parse(body, nullptr, false); json.is_object()) {
    return {json.value("__type", ""), json.value("message", json.value("Message", ""))};
  }
  pugi::xml_document document;
  document.load_buffer(body.data(), body.size());
  const pugi::xml_node error = document.child("ErrorResponse").child("Error");
  return {error.child_value("Code"), error.child_value("Message")};
}

[[noreturn]] void refuse_login(const HttpResponse& response, const HttpRequest& request,
                               const Question& question, const LoginRequest& login) {
  const ServiceRefusal refusal = refusal_of(response.body);
  const bool passing = response.status >= 500 || response.status == 429 ||
                       refusal.code.find("Throttl") != std::string::npos;
  throw Error(passing ? ErrorKind::Transient : ErrorKind::Fatal,
              fmt::format("{} gives no login to {}: {} {} {}", request.origin,
                          login.cluster.empty() ? "workgroup " + login.workgroup
                                                : "cluster " + login.cluster,
                          response.status, refusal.code, refusal.message),
              passing ? ""
                      : fmt::format("See that the name is right and that who asks is allowed {} "
                                    "on it",
                                    question.action));
}

}  // namespace

DatabaseLogin database_login(const AwsContext& context, const Credentials& credentials,
                             const LoginRequest& login, const std::stop_token& stop) {
  const bool serverless = login.cluster.empty();
  const Question question = serverless ? ask_workgroup(login) : ask_cluster(login);
  HttpRequest request;
  request.method = "POST";
  request.origin = service_origin(context, question.endpoint,
                                  fmt::format("https://{}.{}.{}", question.service, context.region,
                                              domain_of_region(context.region)));
  request.headers = question.headers;
  request.body = question.body;
  request.patience = kLoginPatience;
  sign(request, credentials, {context.region, question.service}, context.clock.now());
  const HttpResponse response = context.http.send(request, stop);
  if (response.status != 200) {
    refuse_login(response, request, question, login);
  }
  DatabaseLogin answer = serverless ? login_of_json(response.body) : login_of_xml(response.body);
  if (answer.user.empty() || answer.password.empty()) {
    throw Error(ErrorKind::Transient,
                fmt::format("the answer of {} has no login in it", request.origin));
  }
  return answer;
}

}  // namespace re_dms
