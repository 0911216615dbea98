// One GET, for `re_dms status` to ask a running daemon.
#pragma once

#include <chrono>
#include <string>

namespace re_dms {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

/// Throws Transient when nobody answers within `timeout`, or when the answer is longer than 16 MiB.
/// Ignores the environment's proxy settings: the daemon is close by.
HttpAnswer http_fetch(const std::string& url, std::chrono::milliseconds timeout);

}  // namespace re_dms
