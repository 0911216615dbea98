// Requests to services of others, over libcurl: the only way out besides PostgreSQL and the target.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace re_dms {

struct HttpHeader {
  std::string name;
  std::string value;

  bool operator==(const HttpHeader&) const = default;
};

struct HttpRequest {
  std::string method = "GET";
  std::string origin;      ///< "https://host" or "http://host:port"
  std::string path = "/";  ///< as it is sent: escaped, beginning with '/'
  std::vector<std::pair<std::string, std::string>> query;  ///< names and values, not escaped
  std::vector<HttpHeader> headers;
  std::string_view body;  ///< outlives the request; sent with PUT and POST even when it is empty
  /// How long the whole exchange may take; 0: as long as bytes flow.
  std::chrono::milliseconds patience{0};
  bool direct = false;  ///< never through a proxy: for addresses of the machine's own network

  /// What follows "://" in the origin, as the Host header has it.
  std::string_view host() const;
  /// The origin as people may see it: without user and password.
  std::string shown_origin() const;
  /// Sorted by escaped name and value, "name=value" joined by '&': as it is sent and signed.
  std::string query_text() const;
  std::string url() const;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;

  /// The value of the first header of that name, upper or lower case; empty: there is none.
  std::string header(std::string_view name) const;
};

/// `text` with everything but letters, digits and "-._~" as %XX; `kept` stays as it is.
std::string percent_encode(std::string_view text, std::string_view kept = {});
/// The inverse; a '%' that begins no escape stays.
std::string percent_decode(std::string_view text);

/// A seam: tests answer requests themselves.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Returns whatever the server answers, errors too; redirects are not followed. From any thread.
  /// Throws Transient when there is no whole answer, Fatal where a person must act (a certificate
  /// that is not trusted), Stopped within about a second after stop is requested.
  virtual HttpResponse send(const HttpRequest& request, const std::stop_token& stop) = 0;
};

struct HttpSettings {
  std::string ca_file;  ///< PEM; empty: the system's authorities
  std::string proxy;    ///< URL; empty: HTTPS_PROXY, http_proxy and NO_PROXY of the environment
  std::chrono::milliseconds connect_patience{10'000};
  /// How long nothing may be sent or received, the wait for an answer included.
  std::chrono::seconds stall_patience{30};
};

/// Keeps connections for the next request; as many as there are requests at the same time.
std::unique_ptr<HttpClient> open_http_client(HttpSettings settings);

}  // namespace re_dms
