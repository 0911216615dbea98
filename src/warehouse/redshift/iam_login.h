// Logins that AWS gives for a while, instead of a password.
#pragma once

#include <functional>
#include <stop_token>

#include "aws/database_login.h"
#include "warehouse/warehouse.h"

namespace re_dms::redshift {

/// Asks for a login, to be called for each connection. The credentials are AWS's usual ones, kept
/// until they expire. Throws as CredentialChain::get and database_login do.
using AskForLogin = std::function<DatabaseLogin(const std::stop_token&)>;

/// `database` and `user` are those of the URL; no user: one that stands for who asks.
AskForLogin iam_login(const IamLogin& settings, const std::string& database,
                      const std::string& user);

}  // namespace re_dms::redshift
