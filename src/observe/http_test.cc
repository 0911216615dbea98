#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include "base/error.h"
#include "observe/http_fetch.h"
#include "observe/http_server.h"
#include "observe/listen_address.h"
#include "observe/status.h"

namespace re_dms::http_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A connection of a test's own, so that it can send what no client would.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  ~RawClient() { ::close(fd_); }

  /// Sends `request` and reads until the server closes.
  std::string ask(const std::string& request) const {
    std::string reply;
    if (!connected_ || ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      return reply;
    }
    char bytes[4096];
    for (ssize_t got = 0; (got = ::recv(fd_, bytes, sizeof(bytes), 0)) > 0;) {
      reply.append(bytes, static_cast<std::size_t>(got));
    }
    return reply;
  }

 private:
  int fd_;
  bool connected_ = false;
};

std::string request(const std::string& method, const std::string& path) {
  return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  std::uint16_t port() const { return server_.address().port; }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }

  std::atomic<int> calls_ = 0;
  HttpServer server_{ListenAddress{"127.0.0.1", 0},
                     {{"/metrics",
                       [this] {
                         ++calls_;
                         return HttpReply{200, kPrometheusType, "re_dms_up 1\n"};
                       }},
                      {"/readyz",
                       [] {
                         return HttpReply{503, kTextType, "starting\n"};
                       }},
                      {"/now",
                       [] {
                         return HttpReply{200, kTextType, "now\n", 2};
                       }},
                      {"/broken", []() -> HttpReply { throw std::runtime_error("no"); }}}};
};

TEST_F(HttpServerTest, AnswersFromTheRoute) {
  ASSERT_NE(port(), 0);
  const HttpAnswer answer = http_fetch(url("/metrics"), std::chrono::seconds(5));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "re_dms_up 1\n");
  EXPECT_EQ(http_fetch(url("/metrics?x=1"), std::chrono::seconds(5)).status, 200);
  EXPECT_EQ(http_fetch(url("/readyz"), std::chrono::seconds(5)).status, 503);
}

TEST_F(HttpServerTest, SaysContentTypeAndForbidsCaching) {
  const std::string reply = RawClient(port()).ask(request("GET", "/metrics"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(reply, HasSubstr("Cache-Control: no-store"));
}

TEST_F(HttpServerTest, ABrowserAsksAgainWhereTheRouteSaysSo) {
  EXPECT_THAT(RawClient(port()).ask(request("GET", "/now")), HasSubstr("\r\nRefresh: 2\r\n"));
  EXPECT_THAT(RawClient(port()).ask(request("GET", "/readyz")), Not(HasSubstr("Refresh")));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  const std::string reply = RawClient(port()).ask(request("HEAD", "/metrics"));
  EXPECT_THAT(reply, HasSubstr("200 OK"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 12"));
  EXPECT_THAT(reply, Not(HasSubstr("re_dms_up")));
}

TEST_F(HttpServerTest, RefusesOtherMethodsWithoutCallingTheRoute) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const std::string reply = RawClient(port()).ask(request(method, "/metrics"));
    EXPECT_THAT(reply, HasSubstr(" 405 ")) << method;
    EXPECT_THAT(reply, HasSubstr("Allow: GET, HEAD")) << method;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(HttpServerTest, AnUnknownPathListsWhatThereIs) {
  const HttpAnswer answer = http_fetch(url("/metric"), std::chrono::seconds(5));
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("/metrics\n"));
}

TEST_F(HttpServerTest, ARouteThatThrowsIsAnError500AndTheServerGoesOn) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(http_fetch(url("/broken"), std::chrono::seconds(5)).status, 500);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("http_failed"));
  EXPECT_EQ(http_fetch(url("/metrics"), std::chrono::seconds(5)).status, 200);
}

TEST_F(HttpServerTest, SurvivesGarbageAndEndlessHeaders) {
  RawClient(port()).ask("garbage without end\r\n\r\n");
  RawClient(port()).ask("GET /" + std::string(200'000, 'x'));
  EXPECT_EQ(http_fetch(url("/metrics"), std::chrono::seconds(5)).status, 200);
}

TEST_F(HttpServerTest, IdleConnectionsAreDroppedSoThatOthersGetIn) {
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 40; ++i) {
    idle.push_back(std::make_unique<RawClient>(port()));
  }
  EXPECT_EQ(http_fetch(url("/metrics"), std::chrono::seconds(30)).status, 200);
}

TEST_F(HttpServerTest, ATakenPortIsAFatalErrorThatNamesIt) {
  HttpServer second(server_.address(), {});
  try {
    second.start();
    FAIL() << "it must not listen twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(port())));
    EXPECT_THAT(error.what(), HasSubstr("observe.listen"));
  }
}

TEST(HttpFetch, NobodyThereIsATransientError) {
  std::uint16_t port = 0;
  {
    HttpServer server(ListenAddress{"127.0.0.1", 0}, {});
    server.start();
    port = server.address().port;
  }
  try {
    http_fetch("http://127.0.0.1:" + std::to_string(port) + "/", std::chrono::seconds(5));
    FAIL() << "nobody can have answered";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Transient);
  }
}

TEST(ListenAddress, TakesNumericAddressesAndLocalhost) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:9847"), (ListenAddress{"127.0.0.1", 9847}));
  EXPECT_EQ(parse_listen_address("localhost:0"), (ListenAddress{"127.0.0.1", 0}));
  EXPECT_EQ(parse_listen_address("[::1]:80"), (ListenAddress{"::1", 80}));
  EXPECT_EQ(to_string(ListenAddress{"::1", 80}), "[::1]:80");
  for (const char* wrong :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":9847", "127.1:80", "127.0.0.1:65536", "::1:80",
        "127.0.0.1:-1", "127.0.0.1:80x", "example.org:80", "[127.0.0.1]:80", "[localhost]:80"}) {
    EXPECT_EQ(parse_listen_address(wrong), std::nullopt) << wrong;
  }
}

TEST(ListenAddress, OnlyLoopbackIsOfThisMachine) {
  EXPECT_TRUE(parse_listen_address("127.0.0.2:1")->is_loopback());
  EXPECT_TRUE(parse_listen_address("[::1]:1")->is_loopback());
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(parse_listen_address("[::]:1")->is_loopback());
  EXPECT_FALSE(parse_listen_address("10.0.0.1:1")->is_loopback());
}

SystemTime at(std::int64_t seconds) {
  return SystemTime(std::chrono::seconds(seconds));
}

DaemonStatus full_status() {
  DaemonStatus status;
  status.version = "0.1.0";
  status.uptime_seconds = 11'530.5;
  status.now = at(1'800'000'000) + std::chrono::microseconds(7);
  status.state = DaemonState::WarehouseAway;
  status.reason = "a reader holds the file (pid 4711)";
  status.source = {true, "16/B374D848", "16/B374D800", "16/B374D000", 17};
  status.journal = {1'234, 50ULL << 30};
  status.batch = {99, 3, "16/B3740000"};
  status.warehouse = {"DuckDB", "16/B3730000", 12'345'678'901, 42,
                      LastLoad{1'000, 0.25, at(1'799'999'990)}};
  status.lag = {4'096, 4.5};
  status.tables = {12,
                   {at(1'799'998'000), 1, 2, 3, 4, 5, 6, 7, 8, {9.5, 10.25, 11.75}},
                   {{"public.c", "copying", "it is new", 10, 20, 1'000, 2'000, {}, {0.5, 1.5, 2.5}},
                    {"public.d", "catching up", "", 10, 20, 30, 30, 77, {}}},
                   {{"public.a", "value \"out\" of range"}},
                   {{"public.p", "somebody paused it"}},
                   {{"public.r", "it was dropped"}},
                   {{"public.b", "no identity"}},
                   {{"public.log", "never"}}};
  status.last_error = LastError{"connection lost", at(1'799'999'000)};
  return status;
}

TEST(Status, JsonKeepsEverything) {
  const std::string json = to_json(full_status());
  const DaemonStatus read = parse_status(json);
  EXPECT_EQ(to_json(read), json);
  EXPECT_EQ(read.state, DaemonState::WarehouseAway);
  EXPECT_EQ(read.now, full_status().now);
  EXPECT_EQ(read.warehouse.rows_loaded, 12'345'678'901U);
  EXPECT_EQ(read.warehouse.last_load->at, at(1'799'999'990));
  EXPECT_EQ(read.tables.not_copied.at(0).table, "public.log");
  EXPECT_EQ(read.tables.not_live.at(0).reason, "value \"out\" of range");
  EXPECT_EQ(read.tables.paused.at(0).table, "public.p");
  EXPECT_EQ(read.tables.removed.at(0).table, "public.r");
  EXPECT_EQ(read.tables.copies.since, at(1'799'998'000));
  EXPECT_EQ(read.tables.copies.journal_bytes_left, 8U);
  EXPECT_EQ(read.tables.copies.pace.seconds_left, 11.75);
  EXPECT_EQ(read.tables.coming.at(0).pace.bytes_per_second, 1.5);
  EXPECT_EQ(read.tables.coming.at(1).journal_bytes_left, 77U);
  EXPECT_EQ(read.last_error->text, "connection lost");
  EXPECT_EQ(read.lag.seconds, 4.5);
}

TEST(Status, JsonHasNullForWhatIsNotKnownYet) {
  const std::string json = to_json(DaemonStatus{});
  EXPECT_THAT(json, HasSubstr("\"last_load\": null"));
  EXPECT_THAT(json, HasSubstr("\"last_error\": null"));
  EXPECT_THAT(json, HasSubstr("\"seconds\": null"));
  EXPECT_THAT(json, HasSubstr("\"seconds_left\": null"));
  const DaemonStatus read = parse_status(json);
  EXPECT_FALSE(read.warehouse.last_load || read.last_error || read.lag.seconds);
  EXPECT_EQ(to_json(read), json);
}

TEST(Status, TextThatIsNoUtf8IsRepaired) {
  DaemonStatus status;
  status.reason = "bad \xff byte";
  EXPECT_EQ(parse_status(to_json(status)).reason, "bad \xEF\xBF\xBD byte");
}

TEST(Status, OtherReleasesAnswersAreReadAsFarAsTheyAgree) {
  const DaemonStatus read = parse_status(R"({"version": "9", "new": [1], "tables": {"live": 2}})");
  EXPECT_EQ(read.version, "9");
  EXPECT_EQ(read.tables.live, 2U);
  EXPECT_THROW(parse_status("<html>"), Error);
  EXPECT_THROW(parse_status(R"({"version": 9})"), Error);
  EXPECT_NO_THROW(parse_status("[]"));
}

}  // namespace
}  // namespace re_dms::http_test
