// Users and passwords of Redshift that last for a while.
#pragma once

#include <stop_token>
#include <string>

#include "aws/credentials.h"

namespace re_dms {

struct LoginRequest {
  std::string cluster{};    ///< identifier of a provisioned cluster
  std::string workgroup{};  ///< of Redshift Serverless; one of both
  std::string database;
  /// A database user of the cluster; empty: one that stands for who asks, as a workgroup gives
  /// always.
  std::string user{};
};

struct DatabaseLogin {
  std::string user;  ///< as it is to be given, "IAM:" before it included
  std::string password;
};

/// Valid for an hour, for new connections. Asked at AWS_ENDPOINT_URL_REDSHIFT or
/// AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS, else in context.region. Throws Transient when the service
/// is away and Fatal, with its code and message and what the identity has to be allowed, when it
/// refuses. Sources: the Redshift management guide, "Generating database credentials for an IAM
/// identity", and the models of both APIs as the AWS SDKs publish them.
DatabaseLogin database_login(const AwsContext& context, const Credentials& credentials,
                             const LoginRequest& login, const std::stop_token& stop);

}  // namespace re_dms
