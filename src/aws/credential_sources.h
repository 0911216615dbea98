// The places that AWS's own programs take credentials from, one source each.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.h"

namespace re_dms {

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
std::unique_ptr<CredentialSource> environment_source(const AwsContext& context);

/// A token in AWS_WEB_IDENTITY_TOKEN_FILE, exchanged for AWS_ROLE_ARN: EKS service accounts.
std::unique_ptr<CredentialSource> web_identity_source(const AwsContext& context);

/// A profile of the shared files: keys, a role to assume, a command, or a single sign-on.
std::unique_ptr<CredentialSource> profile_source(const AwsContext& context);

/// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS tasks, EKS pod identities.
std::unique_ptr<CredentialSource> container_source(const AwsContext& context);

/// The role of the EC2 instance, by version 2 of its metadata service.
std::unique_ptr<CredentialSource> instance_source(const AwsContext& context);

}  // namespace re_dms
