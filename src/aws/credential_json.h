// Credentials as services and commands write them in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"

namespace re_dms {

/// AccessKeyId, SecretAccessKey, Expiration and the token under `token_name`. Throws Transient,
/// without any of the text, when it is something else.
Credentials credentials_of_json(const std::string& text, const char* token_name);

/// "2026-01-31T12:00:00Z", with or without a fraction and with any offset; empty when it is none.
std::optional<SystemTime> time_of_text(const std::string& text);

}  // namespace re_dms
