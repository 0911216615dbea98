#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "aws/http_client.h"

namespace re_dms {

namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

}  // namespace

std::string percent_encode(std::string_view text, std::string_view kept) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || kept.find(c) != kept.npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool whole = text[at] == '%' && at + 2 < text.size();
    const int high = whole ? hex_value(text[at + 1]) : -1;
    const int low = whole ? hex_value(text[at + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

std::string_view HttpRequest::host() const {
  const std::string_view whole = origin;
  const std::size_t scheme = whole.find("://");
  return scheme == whole.npos ? whole : whole.substr(scheme + 3);
}

std::string HttpRequest::shown_origin() const {
  const std::size_t at = origin.rfind('@');
  return at == std::string::npos
             ? origin
             : origin.substr(0, origin.size() - host().size()) + origin.substr(at + 1);
}

std::string HttpRequest::query_text() const {
  std::vector<std::pair<std::string, std::string>> escaped;
  for (const auto& [name, value] : query) {
    escaped.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::ranges::sort(escaped);
  std::string text;
  for (const auto& [name, value] : escaped) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  }
  return text;
}

std::string HttpRequest::url() const {
  return origin + path + (query.empty() ? "" : "?" + query_text());
}

std::string HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& given : headers) {
    if (same_name(given.name, name)) {
      return given.value;
    }
  }
  return {};
}

}  // namespace re_dms
