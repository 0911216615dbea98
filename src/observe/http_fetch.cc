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

using Request = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

Request begin(const std::string& url, std::chrono::milliseconds timeout) {
  Request curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) {
    throw Error(ErrorKind::Fatal, "cannot start libcurl");
  }
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  return curl;
}

HttpAnswer answer_to(CURL* curl, const std::string& what) {
  HttpAnswer answer;
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    throw Error(ErrorKind::Transient,
                fmt::format("no answer from {}: {}", what, curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace

HttpAnswer http_fetch(const std::string& url, std::chrono::milliseconds timeout) {
  const Request curl = begin(url, timeout);
  return answer_to(curl.get(), url);
}

HttpAnswer http_post(const std::string& socket, const std::string& path,
                     const std::vector<std::string>& tables, std::chrono::milliseconds timeout) {
  const Request curl = begin("http://re_dms" + path, timeout);
  std::string url = "http://re_dms" + path;
  for (const std::string& table : tables) {
    const std::unique_ptr<char, decltype(&curl_free)> escaped(
        curl_easy_escape(curl.get(), table.data(), static_cast<int>(table.size())), curl_free);
    url += fmt::format("{}table={}", url.ends_with(path) ? '?' : '&', escaped.get());
  }
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, 0L);
  return answer_to(curl.get(), socket);
}

}  // namespace re_dms
