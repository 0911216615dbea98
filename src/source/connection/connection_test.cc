#include "source/connection/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stop_token>
#include <thread>

#include "base/retry.h"
#include "source/connection/receive_buffer.h"

namespace re_dms::connection_test {
namespace {

/// Takes a connection and what is sent on it, and never answers.
class SilentServer {
 public:
  SilentServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t length = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }

  ~SilentServer() {
    ::close(client_);
    ::close(listener_);
  }

  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  int port() const { return port_; }

  /// Until a client has said what it wants.
  void await_client() {
    client_ = ::accept(listener_, nullptr, nullptr);
    char first = 0;
    EXPECT_EQ(::recv(client_, &first, 1, 0), 1);
  }

 private:
  int listener_;
  int client_ = -1;
  int port_ = 0;
};

TEST(Connection, AStopEndsConnectingToAServerThatDoesNotAnswer) {
  SilentServer server;
  SourceSettings settings;
  settings.url = fmt::format(
      "host=127.0.0.1 port={} dbname=app user=u sslmode=disable connect_timeout=20", server.port());
  std::stop_source stop;
  const std::jthread stopper([&] {
    server.await_client();
    stop.request_stop();
  });
  EXPECT_THROW(Connection(settings, ConnectionPurpose::Sql, stop.get_token()), Stopped);
}

TEST(ReceiveBuffer, IsLeftToTheKernelWhereTheWayIsLong) {
  using std::chrono::microseconds;
  EXPECT_EQ(receive_buffer_bytes(microseconds(30)), 256 << 10);
  EXPECT_EQ(receive_buffer_bytes(microseconds(1000)), 256 << 10);
  EXPECT_EQ(receive_buffer_bytes(microseconds(1001)), std::nullopt);
  // What the kernel tells before it has measured.
  EXPECT_EQ(receive_buffer_bytes(microseconds(0xffffffff)), std::nullopt);
}

}  // namespace
}  // namespace re_dms::connection_test
