#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "aws/testing/scripted_client.h"
#include "telemetry/cloudwatch.h"
#include "telemetry/statsd.h"

namespace re_dms::metric_receivers_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string all(const std::vector<MetricParcel>& packets) {
  std::string text;
  for (const MetricParcel& packet : packets) {
    text += packet.text + "\n";
  }
  return text;
}

TEST(Statsd, TagsTellSlotAndLabel) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(12);
  metrics.counter("re_dms_retries_total", "stage").Increment(3);
  metrics.counter("re_dms_table_rows_loaded_total", "public.a|b:c").Increment(1);
  metrics.histogram("re_dms_batch_changes").Observe(7);
  const auto samples = SampleTaker().take(metrics.collect());
  const std::string tagged = all(statsd_packets(samples, {"", true, "etl"}));
  EXPECT_THAT(tagged, AllOf(HasSubstr("re_dms_lag_bytes:12|g|#slot:etl\n"),
                            HasSubstr("re_dms_retries_total:3|c|#slot:etl,of:stage\n"),
                            HasSubstr("re_dms_table_rows_loaded_total:1|c|#slot:etl,"
                                      "table:public.a_b_c\n"),
                            HasSubstr("re_dms_batch_changes_bucket:1|c|#slot:etl,le:10\n"),
                            HasSubstr("re_dms_batch_changes_count:1|c|#slot:etl\n"),
                            HasSubstr("re_dms_batch_changes_sum:7|c|#slot:etl\n")));
  const std::string plain = all(statsd_packets(samples, {"", false, "etl"}));
  EXPECT_THAT(plain, AllOf(HasSubstr("re_dms_lag_bytes:12|g\n"),
                           HasSubstr("re_dms_retries_total.stage:3|c\n"),
                           HasSubstr("re_dms_table_rows_loaded_total.public_a_b_c:1|c\n"),
                           Not(HasSubstr("#")), Not(HasSubstr("_bucket"))));
}

TEST(Statsd, PacketsFitAnEthernetFrame) {
  Metrics metrics;
  metrics.set_table_bound(1000);
  for (int i = 0; i < 300; ++i) {
    metrics.counter("re_dms_table_rows_loaded_total", "public.table_" + std::to_string(i))
        .Increment(i + 1);
  }
  const auto packets = statsd_packets(SampleTaker().take(metrics.collect()), {"", true, "re_dms"});
  EXPECT_GT(packets.size(), 10U);
  std::ptrdiff_t lines = 0;
  std::size_t samples = 0;
  for (const MetricParcel& packet : packets) {
    EXPECT_LE(packet.text.size(), 1432U);
    lines += std::ranges::count(packet.text, '\n') + 1;
    samples += packet.samples;
  }
  EXPECT_EQ(lines, 300);
  EXPECT_EQ(samples, 300U);
}

/// A server on this machine. `stop()` has what is sent to it refused.
class UdpServer {
 public:
  UdpServer() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof(any));
    socklen_t length = sizeof(address_);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address_), &length);
  }

  ~UdpServer() { stop(); }

  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  SocketAddress socket_address() const {
    SocketAddress made;
    std::memcpy(&made.storage, &address_, sizeof(address_));
    made.length = sizeof(address_);
    return made;
  }

  std::string address() const { return fmt::format("127.0.0.1:{}", ntohs(address_.sin_port)); }

  void stop() {
    if (socket_ >= 0) {
      ::close(std::exchange(socket_, -1));
    }
  }

 private:
  int socket_;
  sockaddr_in address_{};
};

TEST(Statsd, EvenTheLastPacketIsKnownNotToHaveArrived) {
  UdpServer server;
  const auto statsd = open_statsd({server.address(), true, "etl"});
  EXPECT_NO_THROW(statsd->send({"a:1|c", 1}, {}));
  server.stop();
  EXPECT_THROW(statsd->send({"a:1|c", 1}, {}), Error);
}

TEST(Statsd, OfSeveralAddressesTheOneThatListensIsFound) {
  UdpServer gone;
  const UdpServer server;
  gone.stop();
  const std::vector<SocketAddress> both = {gone.socket_address(), server.socket_address()};
  const auto statsd = open_statsd({"localhost:8125", true, "etl"},
                                  [both](const std::string&, const std::string&) { return both; });
  EXPECT_THROW(statsd->send({"a:1|c", 1}, {}), Error);
  EXPECT_NO_THROW(statsd->send({"a:1|c", 1}, {}));
  EXPECT_NO_THROW(statsd->send({"a:1|c", 1}, {}));
}

CloudWatchSettings settings() {
  CloudWatchSettings made;
  made.space = "re_dms/prod";
  made.slot = "etl";
  return made;
}

TEST(CloudWatch, BodiesNameEachMetricWithItsDimensions) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(12);
  metrics.counter("re_dms_retries_total", "stage").Increment(3);
  metrics.counter("re_dms_table_rows_loaded_total", "public.a").Increment(1);
  metrics.histogram("re_dms_batch_changes").Observe(7);
  const auto bodies =
      cloudwatch_bodies(SampleTaker().take(metrics.collect()), settings(), SystemTime());
  ASSERT_EQ(bodies.size(), 1U);
  EXPECT_EQ(bodies[0].samples, 3U) << "the table's comes after them";
  EXPECT_THAT(bodies[0].text,
              AllOf(HasSubstr("Action=PutMetricData&Version=2010-08-01&Namespace=re_dms%2Fprod"),
                    HasSubstr("MetricName=re_dms_lag_bytes"),
                    HasSubstr("Timestamp=1970-01-01T00%3A00%3A00Z"), HasSubstr("Unit=Bytes"),
                    HasSubstr("Dimensions.member.1.Name=Slot"),
                    HasSubstr("Dimensions.member.2.Name=of"), HasSubstr("Values.member.1=10"),
                    HasSubstr("Counts.member.1=1"), Not(HasSubstr("table_rows_loaded"))));
}

TEST(CloudWatch, ARequestHasAtMostAThousandMetrics) {
  std::vector<Sample> samples(2500);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].metric =
        &*std::ranges::find(kMetricList, "re_dms_retries_total", &MetricDefinition::name);
    samples[i].label = "stage" + std::to_string(i);
    samples[i].value = 1;
  }
  const auto bodies = cloudwatch_bodies(samples, settings(), SystemTime());
  std::size_t all = 0;
  for (const MetricParcel& body : bodies) {
    std::size_t metrics = 0;
    for (std::size_t at = body.text.find("MetricName="); at != std::string::npos;
         at = body.text.find("MetricName=", at + 1)) {
      ++metrics;
    }
    EXPECT_LE(metrics, 1000U);
    EXPECT_LE(body.text.size(), 1'000'000U);
    all += metrics;
  }
  EXPECT_EQ(all, 2500U);
}

/// Keys that never change.
class FixedKeys final : public CredentialSource {
 public:
  std::string name() const override { return "test"; }

  SourceAnswer ask(const std::stop_token&) override {
    return {Credentials{"id", "secret", "", {}, "keys of the test", true}, "", false};
  }
};

std::vector<std::unique_ptr<CredentialSource>> fixed_keys() {
  std::vector<std::unique_ptr<CredentialSource>> sources;
  sources.push_back(std::make_unique<FixedKeys>());
  return sources;
}

class PutMetrics : public ::testing::Test {
 protected:
  void put(const std::stop_token& stop = {}) { put_metrics(wiring_, "Action=PutMetricData", stop); }

  ScriptedClient http_;
  CredentialChain chain_{fixed_keys(), real_clock()};
  CloudWatchWiring wiring_{http_,
                           chain_,
                           real_clock(),
                           "https://monitoring.eu-west-1.amazonaws.com",
                           "eu-west-1",
                           {std::chrono::milliseconds(1), std::chrono::milliseconds(2)},
                           std::chrono::seconds(20)};
};

TEST_F(PutMetrics, ARequestIsCompressedAndSigned) {
  http_.answer(200, "");
  put();
  ASSERT_EQ(http_.sent().size(), 1U);
  const SentRequest& sent = http_.sent()[0];
  const auto has = [&](const HttpHeader& header) {
    return std::ranges::find(sent.request.headers, header) != sent.request.headers.end();
  };
  EXPECT_TRUE(has({"content-encoding", "gzip"}));
  EXPECT_EQ(sent.body.substr(0, 2), "\x1f\x8b");
  const auto signature =
      std::ranges::find(sent.request.headers, "authorization", [](const HttpHeader& header) {
        std::string name = header.name;
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        return name;
      });
  ASSERT_NE(signature, sent.request.headers.end());
  EXPECT_THAT(signature->value, HasSubstr("/eu-west-1/monitoring/aws4_request"));
}

TEST_F(PutMetrics, WhatMayPassIsRepeated) {
  http_.no_answer();
  http_.answer(503, "");
  http_.answer(400, "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>");
  http_.answer(200, "");
  EXPECT_NO_THROW(put());
  EXPECT_EQ(http_.sent().size(), 4U);
}

TEST_F(PutMetrics, ARefusalSaysWhoAskedAndWhatIsMissing) {
  http_.answer(403,
               "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
               "</ErrorResponse>");
  try {
    put();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("AccessDenied"), HasSubstr("keys of the test"),
                                    HasSubstr("cloudwatch:PutMetricData")));
  }
  EXPECT_EQ(http_.sent().size(), 1U);
}

TEST_F(PutMetrics, AnOutageEndsWithThePatience) {
  http_.no_answer();
  wiring_.patience = std::chrono::milliseconds(0);
  EXPECT_THROW(put(), Error);
  EXPECT_EQ(http_.sent().size(), 1U);
}

}  // namespace
}  // namespace re_dms::metric_receivers_test
