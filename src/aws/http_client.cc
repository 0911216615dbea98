#include "aws/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <mutex>

#include "base/error.h"
#include "base/retry.h"

namespace re_dms {

namespace {

// Lists of a thousand names are a few hundred KiB.
constexpr std::size_t kResponseBytesMax = 16U << 20;

using EasyPtr = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeadersPtr = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void start_libcurl() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw Error(ErrorKind::Fatal, "cannot start libcurl");
    }
  });
}

/// What libcurl's callbacks work on.
struct Exchange {
  HttpResponse response;
  bool too_long = false;
  const std::stop_token* stop = nullptr;
};

std::size_t take_body(char* bytes, std::size_t one, std::size_t size, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  if (exchange.response.body.size() + one * size > kResponseBytesMax) {
    exchange.too_long = true;
    return 0;
  }
  exchange.response.body.append(bytes, one * size);
  return one * size;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t size, void* to) {
  auto& headers = static_cast<Exchange*>(to)->response.headers;
  const std::string_view line(bytes, one * size);
  if (line.starts_with("HTTP/")) {
    headers.clear();  // those before were of "100 Continue" or a proxy
  } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
    headers.push_back(
        {std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
  }
  return one * size;
}

/// Called at least once a second, whatever the transfer does. Not 0 ends it.
int look_for_stop(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(of)->stop->stop_requested() ? 1 : 0;
}

[[noreturn]] void fail(CURLcode code, const HttpRequest& request, const char* detail,
                       const HttpSettings& settings) {
  const std::string what =
      fmt::format("{} {}{}: {}", request.method, request.shown_origin(), request.path,
                  *detail == '\0' ? curl_easy_strerror(code) : detail);
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      throw Error(ErrorKind::Fatal, what,
                  settings.ca_file.empty()
                      ? "Install the authority's certificate on this machine, or name its PEM file "
                        "in stage.ca_file"
                      : fmt::format("See whether {} (stage.ca_file) has the certificate of the "
                                    "server's authority",
                                    settings.ca_file));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      throw Error(ErrorKind::Fatal, what, "Correct the address in the configuration");
    default:
      throw Error(ErrorKind::Transient, what);
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpSettings settings) : settings_(std::move(settings)) { start_libcurl(); }

  HttpResponse send(const HttpRequest& request, const std::stop_token& stop) override {
    EasyPtr easy = take_handle();
    Exchange exchange;
    exchange.stop = &stop;
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
    const HeadersPtr headers = prepare(easy.get(), request, exchange);
    const CURLcode code = curl_easy_perform(easy.get());
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_reset(easy.get());
    if (code == CURLE_ABORTED_BY_CALLBACK) {
      throw Stopped();
    }
    if (exchange.too_long) {
      throw Error(ErrorKind::Transient,
                  fmt::format("{} {}{}: the answer is longer than {} MiB", request.method,
                              request.shown_origin(), request.path, kResponseBytesMax >> 20));
    }
    if (code != CURLE_OK) {
      fail(code, request, detail, settings_);
    }
    exchange.response.status = static_cast<int>(status);
    // One that failed is not kept: its connection may be half dead.
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(easy));
    return std::move(exchange.response);
  }

 private:
  EasyPtr take_handle() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        EasyPtr easy = std::move(idle_.back());
        idle_.pop_back();
        return easy;
      }
    }
    EasyPtr easy(curl_easy_init(), curl_easy_cleanup);
    if (easy == nullptr) {
      throw Error(ErrorKind::Fatal, "cannot start libcurl");
    }
    return easy;
  }

  HeadersPtr prepare(CURL* easy, const HttpRequest& request, Exchange& exchange) const {
    curl_easy_setopt(easy, CURLOPT_URL, request.url().c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // Keys may have parts such as "." that libcurl would take out of a signed path.
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &look_for_stop);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &exchange);
    set_limits(easy, request);
    if (request.direct) {
      curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    } else if (!settings_.proxy.empty()) {
      curl_easy_setopt(easy, CURLOPT_PROXY, settings_.proxy.c_str());
    }
    if (!settings_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
    }
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT" || request.method == "POST") {
      // libcurl reads from there, without a copy.
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    HeadersPtr headers = header_list(request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    return headers;
  }

  void set_limits(CURL* easy, const HttpRequest& request) const {
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(settings_.connect_patience.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(settings_.stall_patience.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.patience.count()));
  }

  static HeadersPtr header_list(const HttpRequest& request) {
    HeadersPtr list(nullptr, curl_slist_free_all);
    const auto add = [&list](const std::string& line) {
      curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
      if (longer == nullptr) {
        throw Error(ErrorKind::Fatal, "cannot start libcurl: out of memory");
      }
      if (list == nullptr) {
        list.reset(longer);  // later ones are appended in place
      }
    };
    bool typed = false;
    for (const HttpHeader& header : request.headers) {
      typed = typed || header.name == "content-type";
      add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    if (!typed) {
      add("Content-Type:");  // not libcurl's own, which is that of forms
    }
    return list;
  }

  HttpSettings settings_;
  std::mutex mutex_;
  std::vector<EasyPtr> idle_;  ///< each with the connections it has kept
};

}  // namespace

std::unique_ptr<HttpClient> open_http_client(HttpSettings settings) {
  return std::make_unique<CurlClient>(std::move(settings));
}

}  // namespace re_dms
