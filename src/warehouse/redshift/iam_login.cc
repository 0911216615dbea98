#include "warehouse/redshift/iam_login.h"

#include <memory>

#include "aws/credentials.h"
#include "aws/http_client.h"

namespace re_dms::redshift {

namespace {

/// What a login takes, for as long as there may be another connection.
struct Wiring {
  explicit Wiring(const IamLogin& settings)
      : http(open_http_client({settings.ca_file, settings.proxy})),
        context(process_context(*http, real_clock())) {
    context.profile = settings.profile;
    context.region = settings.region.empty() ? configured_region(context) : settings.region;
    chain = open_credentials(context);
  }

  std::unique_ptr<HttpClient> http;
  AwsContext context;
  std::unique_ptr<CredentialChain> chain;
};

}  // namespace

AskForLogin iam_login(const IamLogin& settings, const std::string& database,
                      const std::string& user) {
  const auto wiring = std::make_shared<Wiring>(settings);
  const LoginRequest login{settings.cluster, settings.workgroup, database, user};
  return [wiring, login](const std::stop_token& stop) {
    return database_login(wiring->context, wiring->chain->get(stop), login, stop);
  };
}

}  // namespace re_dms::redshift
