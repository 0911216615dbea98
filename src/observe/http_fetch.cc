#include "observe/http_fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kBodyBytesMax = 16U << 20;

/// libcurl's write callback: a count other than the one given ends the transfer.
std::size_t collect(char* bytes, std::size_t one, std::size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + one * size > kBodyBytesMax) {
    return 0;
  }
  body.append(bytes, one * size);
  return one * size;
}

}  // namespace

HttpAnswer http_fetch(const std::string& url, std::chrono::milliseconds timeout) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (curl == nullptr) {
    throw Error(ErrorKind::Fatal, "cannot start libcurl");
  }
  HttpAnswer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    throw Error(ErrorKind::Transient,
                fmt::format("no answer from {}: {}", url, curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace re_dms
