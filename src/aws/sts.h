// AWS's Security Token Service: keys of a role, for a while.
#pragma once

#include <stop_token>
#include <string>

#include "aws/credentials.h"

namespace re_dms {

struct RoleRequest {
  std::string role_arn;
  std::string session_name{};  ///< empty: "re_dms"
  std::string external_id{};
  std::string duration_seconds{};  ///< empty: an hour
};

/// Both throw Transient when the service is away and Fatal, with its code and message, when it
/// refuses. It is asked at AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, else in context.region.
Credentials assume_role(const AwsContext& context, const RoleRequest& role,
                        const Credentials& credentials, const std::stop_token& stop);

/// `token` is what an identity provider says of us; no other credentials are needed.
Credentials assume_role_with_web_identity(const AwsContext& context, const RoleRequest& role,
                                          const std::string& token, const std::stop_token& stop);

/// "amazonaws.com", or what it is in the region's partition.
std::string domain_of_region(const std::string& region);

/// Where a service is: AWS_ENDPOINT_URL_<SERVICE> or AWS_ENDPOINT_URL, else `otherwise`.
std::string service_origin(const AwsContext& context, const std::string& service,
                           const std::string& otherwise);

}  // namespace re_dms
