#include "app/service_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "observe/service.h"

namespace re_dms::service_report_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

DaemonStatus streaming() {
  DaemonStatus status;
  status.state = DaemonState::Streaming;
  status.lag = {1024, 1.5};
  status.tables.live = 12;
  status.tables.not_live.push_back({"public.t", "no replica identity"});
  return status;
}

/// The other end of NOTIFY_SOCKET, for as long as it lives.
class Receiver {
 public:
  Receiver() {
    folder_ = std::filesystem::temp_directory_path() / "re_dms_service.XXXXXX";
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setenv("NOTIFY_SOCKET", path().c_str(), 1);
  }

  ~Receiver() {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::close(socket_);
    std::filesystem::remove_all(folder_);
  }

  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// The next datagram; empty when none comes.
  std::string next() const {
    std::array<char, 4096> text{};
    const ssize_t size = ::recv(socket_, text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(size < 0 ? 0 : size)};
  }

 private:
  std::string path() const { return folder_ + "/socket"; }

  std::string folder_;
  int socket_ = -1;
};

TEST(ServiceReport, IsReadyOnceItStreamsOrSaysWhatItWaitsFor) {
  ServiceReport report;
  DaemonStatus status;
  EXPECT_THAT(report.lines(status, false), Not(HasSubstr("READY")));
  status.state = DaemonState::Reconnecting;
  status.reason = "the server\ndoes not answer";
  const std::string ready = report.lines(status, false);
  EXPECT_THAT(ready, StartsWith("READY=1\nSTATUS=reconnecting: the server does not answer, "));
  EXPECT_THAT(report.lines(streaming(), false), Not(HasSubstr("READY")));
}

TEST(ServiceReport, SaysInALineHowFarItIs) {
  EXPECT_EQ(service_text(streaming()),
            "streaming, 1.5 s behind, 1 KiB of WAL; tables: 12 live, 1 set aside");
  EXPECT_EQ(service_text({}), "starting");
}

TEST(ServiceReport, LongAndOddReasonsStayALine) {
  EXPECT_EQ(service_status_line("a\nb\xFF"), "STATUS=a b\\xFF\n");
  const std::string cut = service_status_line("x" + std::string(999, 'y') + "\xC3\xA4");
  EXPECT_EQ(cut, "STATUS=x" + std::string(999, 'y') + "...\n");
}

TEST(ServiceReport, TheServiceManagerHearsItUntilTheEnd) {
  const Receiver receiver;
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  const std::string first = [&] {
    const std::jthread reporter(
        [](const std::stop_token& stop) { report_to_service([] { return streaming(); }, stop); });
    return receiver.next();
  }();
  EXPECT_THAT(first, AllOf(StartsWith("READY=1\nWATCHDOG=1\nSTATUS=streaming, 1.5 s behind")));
  EXPECT_EQ(receiver.next(), "STOPPING=1\n");
}

TEST(ServiceReport, AShortWatchdogHearsOfItInTime) {
  const Receiver receiver;
  ::setenv("WATCHDOG_USEC", "30000", 1);
  const auto begin = std::chrono::steady_clock::now();
  const std::jthread reporter(
      [](const std::stop_token& stop) { report_to_service([] { return streaming(); }, stop); });
  for (int sign = 0; sign < 4; ++sign) {
    EXPECT_THAT(receiver.next(), HasSubstr("WATCHDOG=1\n"));
  }
  // Without a watchdog, the second comes after two seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(ServiceReport, AsksForNoStatusWhereNobodyListens) {
  std::stop_source stop;
  report_to_service(
      [] {
        ADD_FAILURE() << "was asked";
        return DaemonStatus{};
      },
      stop.get_token());
}

}  // namespace
}  // namespace re_dms::service_report_test
