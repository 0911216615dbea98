// AWS Signature Version 4, in the Authorization header.
#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/http_client.h"
#include "base/clock.h"

namespace re_dms {

/// Whom a signature is for. "s3" has rules of its own: the path is signed as it is sent, not
/// escaped once more, and the body's hash is a header.
struct SigningScope {
  std::string region;
  std::string service;
};

/// Adds x-amz-date, the token's and the body's header where they are needed, and the Authorization
/// over all headers the request has then. Headers added or changed later make it invalid. A request
/// that is sent again is signed anew: of the headers that this function adds, older ones are
/// replaced. Valid for 15 minutes around `now`.
void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope,
          SystemTime now);

std::string sha256_hex(std::string_view bytes);

}  // namespace re_dms
