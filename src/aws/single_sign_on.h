// AWS IAM Identity Center: the role of somebody who has signed on with `aws sso login`.
#pragma once

#include <stop_token>
#include <string>

#include "aws/credentials.h"

namespace re_dms {

struct SingleSignOn {
  std::string session;  ///< of [sso-session …]; empty: the older form, by start_url
  std::string start_url;
  std::string region;
  std::string account;
  std::string role;
};

/// Exchanges the token that `aws sso login` has left in ~/.aws/sso/cache. The token is not renewed
/// here. Throws Transient without a valid one, since somebody may sign on again.
Credentials role_of_single_sign_on(const AwsContext& context, const SingleSignOn& sign_on,
                                   const std::string& profile, const std::stop_token& stop);

}  // namespace re_dms
