// One request, for `re_dms status` and the verbs to ask a running daemon.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace re_dms {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

/// Throws Transient when nobody answers within `timeout`, or when the answer is longer than 16 MiB.
/// Ignores the environment's proxy settings: the daemon is close by.
HttpAnswer http_fetch(const std::string& url, std::chrono::milliseconds timeout);

/// A POST without a body to `path` ("/resync"), on the Unix socket `socket`; each of `tables`
/// becomes an argument "table". Throws as http_fetch.
HttpAnswer http_post(const std::string& socket, const std::string& path,
                     const std::vector<std::string>& tables, std::chrono::milliseconds timeout);

}  // namespace re_dms
