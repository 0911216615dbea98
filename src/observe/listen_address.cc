#include "observe/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <charconv>

namespace re_dms {

namespace {

/// Also refuses what inet_aton would take, such as "127.1".
bool is_numeric(const std::string& host, int family) {
  in6_addr address{};
  return ::inet_pton(family, host.c_str(), &address) == 1;
}

}  // namespace

bool ListenAddress::is_loopback() const {
  return is_ipv6() ? host == "::1" : host.starts_with("127.");
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) {
    return std::nullopt;
  }
  ListenAddress address;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc() || end != port.data() + port.size()) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  address.host = host == "localhost" && !bracketed ? "127.0.0.1" : host;
  if (!is_numeric(address.host, bracketed ? AF_INET6 : AF_INET)) {
    return std::nullopt;
  }
  return address;
}

std::string to_string(const ListenAddress& address) {
  const std::string host = address.is_ipv6() ? "[" + address.host + "]" : address.host;
  return fmt::format("{}:{}", host, address.port);
}

}  // namespace re_dms
