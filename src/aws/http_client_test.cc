#include "aws/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "base/retry.h"

namespace re_dms::http_client_test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Answers each request with the same bytes; empty: with nothing at all. Counts connections.
class RawServer {
 public:
  explicit RawServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ < 0) {
      throw std::runtime_error("no socket");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }

  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) {
        shutdown(connection, SHUT_RDWR);
      }
    }
    thread_.join();
    handlers_.clear();
    close(listener_);
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  std::string received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) {
        return;
      }
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      handlers_.emplace_back([this, connection] { answer(connection); });
    }
  }

  void answer(int connection) {
    char buffer[4096];
    for (;;) {
      const ssize_t count = read(connection, buffer, sizeof buffer);
      if (count <= 0) {
        break;
      }
      {
        const std::lock_guard lock(mutex_);
        received_.append(buffer, static_cast<std::size_t>(count));
      }
      if (write(connection, answer_.data(), answer_.size()) < 0) {
        break;
      }
    }
    close(connection);
  }

  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<int> connections_;
  std::string received_;
  std::vector<std::jthread> handlers_;
  std::jthread thread_;
};

HttpRequest request_to(const RawServer& server) {
  HttpRequest request;
  request.origin = server.origin();
  request.direct = true;
  return request;
}

TEST(HttpClient, SendsWhatItIsGivenAndReturnsStatusHeadersAndBody) {
  RawServer server(
      "HTTP/1.1 503 Slow Down\r\nX-Amz-Request-Id:  abc \r\nContent-Length: 5\r\n\r\nhello");
  const auto client = open_http_client({});
  HttpRequest request = request_to(server);
  request.method = "PUT";
  request.path = "/b/a%20b/./c";
  request.query = {{"x", "y z"}};
  request.headers = {{"x-one", "1"}, {"x-none", ""}};
  request.body = "payload";
  const HttpResponse response = client->send(request, {});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("x-amz-request-id"), "abc");
  EXPECT_EQ(response.body, "hello");
  EXPECT_THAT(server.received(), HasSubstr("PUT /b/a%20b/./c?x=y%20z HTTP/1.1\r\n"));
  EXPECT_THAT(server.received(), HasSubstr("x-one: 1\r\n"));
  EXPECT_THAT(server.received(), HasSubstr("x-none:\r\n"));
  EXPECT_THAT(server.received(), HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(server.received(), HasSubstr("\r\n\r\npayload"));
  EXPECT_THAT(server.received(), ::testing::Not(HasSubstr("Content-Type")));
}

TEST(HttpClient, KeepsConnections) {
  RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const auto client = open_http_client({});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client->send(request_to(server), {}).status, 200);
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, IsUsedFromSeveralThreads) {
  RawServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const auto client = open_http_client({});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 20; ++j) {
          EXPECT_EQ(client->send(request_to(server), {}).body, "ok");
        }
      });
    }
  }
  EXPECT_LE(server.connections(), 4U);
}

TEST(HttpClient, EndsARequestWhenStopIsRequested) {
  RawServer server("");
  const auto client = open_http_client({});
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(client->send(request_to(server), stop.get_token()), Stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST(HttpClient, GivesUpWhenNothingHappens) {
  RawServer server("");
  HttpSettings settings;
  settings.stall_patience = std::chrono::seconds(1);
  const auto client = open_http_client(settings);
  try {
    client->send(request_to(server), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Transient);
    EXPECT_THAT(error.what(), HasSubstr("GET http://127.0.0.1:"));
  }
}

TEST(HttpClient, AHalfAnswerIsNone) {
  std::optional<RawServer> server(std::in_place,
                                  "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf");
  const auto client = open_http_client({});
  HttpRequest request = request_to(*server);
  request.patience = milliseconds(500);
  EXPECT_THROW(client->send(request, {}), Error);
  const std::string origin = server->origin();
  server.reset();
  request.origin = origin;
  EXPECT_THROW(client->send(request, {}), Error);
}

TEST(HttpClient, SaysWhatIsWrongWithAnAddress) {
  const auto client = open_http_client({});
  HttpRequest request;
  request.origin = "ftp://127.0.0.1";
  try {
    client->send(request, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  }
}

TEST(HttpClient, ShowsNoPasswordOfAnAddress) {
  const auto client = open_http_client({});
  HttpRequest request;
  request.origin = "http://user:hunter2@127.0.0.1:1";
  EXPECT_EQ(request.shown_origin(), "http://127.0.0.1:1");
  try {
    client->send(request, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos) << error.what();
  }
  request.origin = "https://host";
  EXPECT_EQ(request.shown_origin(), "https://host");
}

}  // namespace
}  // namespace re_dms::http_client_test
