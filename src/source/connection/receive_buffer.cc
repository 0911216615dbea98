#include "source/connection/receive_buffer.h"

// Glibc's <netinet/tcp.h> ends before tcpi_min_rtt.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace re_dms {

namespace {

// Over a round trip of a millisecond a window of this size carries 250 MB a second, more than a
// walsender decodes.
constexpr int kNearbyBytes = 256 << 10;
constexpr std::chrono::microseconds kNearby{1000};

}  // namespace

std::optional<int> receive_buffer_bytes(std::chrono::microseconds round_trip) {
  return round_trip <= kNearby ? std::optional(kNearbyBytes) : std::nullopt;
}

void bound_receive_buffer(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt) {
    return;
  }
  if (const auto bytes = receive_buffer_bytes(std::chrono::microseconds(info.tcpi_min_rtt))) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &*bytes, sizeof *bytes);
  }
}

}  // namespace re_dms
