#include "aws/signer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/error.h"

namespace re_dms {

namespace {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes) {
  Digest digest{};
  RE_DMS_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

Digest hmac(std::string_view key, std::string_view bytes) {
  Digest digest{};
  unsigned int size = 0;
  RE_DMS_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    digest.data(), &size) != nullptr);
  return digest;
}

std::string_view as_text(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string hex(const Digest& digest) {
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// Without spaces at both ends, and one for each run of them inside.
std::string squeezed(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c != ' ' || (!text.empty() && text.back() != ' ')) {
      text += c;
    }
  }
  if (text.ends_with(' ')) {
    text.pop_back();
  }
  return text;
}

void set_header(HttpRequest& request, const std::string& name, const std::string& value) {
  std::erase_if(request.headers,
                [&](const HttpHeader& header) { return lower_case(header.name) == name; });
  if (!value.empty()) {
    request.headers.push_back({name, value});
  }
}

/// The headers as they are signed; a name that comes twice has both values.
std::map<std::string, std::string> canonical_headers(const HttpRequest& request) {
  std::map<std::string, std::string> headers = {{"host", std::string(request.host())}};
  for (const HttpHeader& header : request.headers) {
    const auto [found, fresh] =
        headers.try_emplace(lower_case(header.name), squeezed(header.value));
    if (!fresh && found->first != "host") {
      found->second += "," + squeezed(header.value);
    }
  }
  return headers;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  return hex(sha256(bytes));
}

void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope,
          SystemTime now) {
  const bool for_s3 = scope.service == "s3";
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
  const std::string date = time.substr(0, 8);
  const std::string body_hash = sha256_hex(request.body);
  set_header(request, "authorization", "");
  set_header(request, "x-amz-date", time);
  set_header(request, "x-amz-security-token", credentials.session_token);
  if (for_s3) {
    set_header(request, "x-amz-content-sha256", body_hash);
  }
  std::string names;
  std::string lines;
  for (const auto& [name, value] : canonical_headers(request)) {
    names += fmt::format("{}{}", names.empty() ? "" : ";", name);
    lines += fmt::format("{}:{}\n", name, value);
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                  for_s3 ? request.path : percent_encode(request.path, "/"), request.query_text(),
                  lines, names, body_hash);
  const std::string place = fmt::format("{}/{}/{}/aws4_request", date, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, place, sha256_hex(canonical));
  Digest key = hmac("AWS4" + credentials.secret_access_key, date);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = hmac(as_text(key), part);
  }
  set_header(
      request, "authorization",
      fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                  credentials.access_key_id, place, names, hex(hmac(as_text(key), to_sign))));
}

}  // namespace re_dms
