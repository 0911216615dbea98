// The stream over TLS, where a record holds one message and poll does not see what is decrypted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "source/connection/connection.h"
#include "source/stream/replication_stream.h"
#include "source/testing/stream_test.h"

namespace re_dms::tls_pg_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;

class TlsStream : public StreamTest {
 protected:
  static void SetUpTestSuite() {
    postgres_ = std::make_unique<ThrowawayPostgres>(std::vector<std::string>{},
                                                    ThrowawayPostgres::Identity::Shared,
                                                    ThrowawayPostgres::Tls::On);
  }

  /// Starts the stream and has the server send what `sql` does while nothing is read, so that all
  /// of it waits in the socket.
  std::unique_ptr<StreamProbe> start_behind(const std::string& url, const std::string& sql) {
    settings_.url = url;
    postgres_->execute(sql);
    auto probe = std::make_unique<StreamProbe>(settings_, origin_, origin_.consistent_point,
                                               origin_.consistent_point, false, ReadTimes{}, true);
    EXPECT_TRUE(postgres_->becomes("SELECT bool_and(sent_lsn >= '" +
                                       postgres_->execute("SELECT pg_current_wal_lsn()") +
                                       "') FROM pg_stat_replication",
                                   "t"));
    return probe;
  }

  /// The naps of a stream that finds `small` rows and one longer than a TLS record waiting.
  std::uint64_t naps_over(const std::string& url, int small) {
    const auto probe = start_behind(
        url, "INSERT INTO t SELECT i, 'small' FROM generate_series(1, " + std::to_string(small) +
                 ") i; INSERT INTO t VALUES (0, repeat('x', 20000))");
    probe->pause(false);
    EXPECT_TRUE(probe->saw("I [" + std::to_string(small) + "|small]"));
    EXPECT_TRUE(probe->saw("I [0|20000 bytes]"));
    probe->stop();
    EXPECT_FALSE(probe->ended().has_value());
    return probe->counts().naps;
  }
};

// One for each look at the connection that finds something; a keepalive may come beside it.
TEST_F(TlsStream, TakesWhatHasArrivedWithoutANapForEachRecord) {
  EXPECT_THAT(naps_over(postgres_->tls_url(), 500), Le(10U));
}

// A Unix socket holds some 200 small rows.
TEST_F(TlsStream, TakesTheSameOverAUnixSocket) {
  EXPECT_THAT(naps_over(postgres_->url(), 100), Le(10U));
}

TEST_F(TlsStream, BringsARowOfManyRecords) {
  const auto probe = start_behind(postgres_->tls_url(), "INSERT INTO t VALUES (1, 'first')");
  probe->pause(false);
  postgres_->execute(
      "INSERT INTO t VALUES (2, repeat('y', 6000000)); INSERT INTO t VALUES (3, '')");
  ASSERT_TRUE(probe->saw("I [3|]"));
  std::vector<std::string> rows = probe->records();
  std::erase_if(rows, [](const std::string& line) { return !line.starts_with("I "); });
  EXPECT_THAT(rows, ElementsAre("I [1|first]", "I [2|6000000 bytes]", "I [3|]"));
}

int receive_buffer_of(const ReplicationStream& stream) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  EXPECT_EQ(getsockopt(stream.socket(), SOL_SOCKET, SO_RCVBUF, &bytes, &size), 0);
  return bytes;
}

// The kernel doubles what it grants (socket(7), SO_RCVBUF).
TEST_F(TlsStream, HasABoundedReceiveBufferOnLoopback) {
  int granted = 0;
  std::ifstream("/proc/sys/net/core/rmem_max") >> granted;
  settings_.url = postgres_->tls_url();
  ReplicationStream stream(Connection(settings_, ConnectionPurpose::Replication), settings_,
                           origin_.consistent_point);
  EXPECT_EQ(receive_buffer_of(stream), 2 * std::min(granted, 256 << 10));
  stream.finish(std::chrono::seconds(5));
}

TEST_F(TlsStream, IsCheckedByTheCertificate) {
  settings_.url = postgres_->tls_url() + "x";
  const auto probe = start();
  const std::optional<Error> error = probe->ended();
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), ::testing::HasSubstr("root certificate"));
}

}  // namespace
}  // namespace re_dms::tls_pg_test
