// How much of a stream the kernel keeps for its reader.
#pragma once

#include <chrono>
#include <optional>

namespace re_dms {

/// Bytes to ask for with SO_RCVBUF; nothing where the kernel is to decide. `round_trip` is the
/// connection's shortest.
std::optional<int> receive_buffer_bytes(std::chrono::microseconds round_trip);

/// Bounds the receive buffer of a TCP connection to a server nearby. A walsender writes each
/// message to its socket, and while the receive window is open each leaves alone, through the whole
/// network stack. Linux lets the buffer grow to megabytes (tcp_rmem), so that the window stays open
/// for long; behind a small one the messages collect and leave in large segments (measured over TLS
/// on loopback, 2 M small rows: 10.2 s with a buffer that grows, 8.3 s with this one). Over a
/// longer way the window would bound the rate: there, and on a Unix socket, it does nothing.
void bound_receive_buffer(int socket);

}  // namespace re_dms
