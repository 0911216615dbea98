// Where the status page listens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace re_dms {

struct ListenAddress {
  std::string host;        ///< numeric, IPv6 without brackets
  std::uint16_t port = 0;  ///< 0: any free one

  bool operator==(const ListenAddress&) const = default;

  bool is_ipv6() const { return host.find(':') != std::string::npos; }

  /// Reached from this machine only.
  bool is_loopback() const;
};

/// "127.0.0.1:9847", "[::1]:9847", "localhost:9847" (which is 127.0.0.1); empty when the text is
/// none of these. Other names are not looked up.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

/// "127.0.0.1:9847", "[::1]:9847".
std::string to_string(const ListenAddress& address);

}  // namespace re_dms
