#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/exit_code.h"
#include "base/failpoint.h"
#include "base/file_system.h"
#include "base/retry.h"
#include "base/testing/waiting.h"

namespace re_dms::base_test {
namespace {

TEST(Crc32c, MatchesThePublishedValues) {
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(0, std::string(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(crc32c(0, "1234"), "56789"), 0xE3069283U);
}

TEST(ByteReader, RefusesToReadPastTheEnd) {
  ByteReader reader(std::string_view("\x00\x01\x02", 3), "a sample");
  EXPECT_EQ(reader.u16(), 1);
  EXPECT_THROW(reader.u16(), Error);
}

TEST(ByteReader, RefusesAStringWithoutEnd) {
  ByteReader reader("abc", "a sample");
  EXPECT_THROW(reader.text(), Error);
}

TEST(Bytes, KeepTheirOrder) {
  std::string out;
  append_be<std::uint32_t>(out, 0x01020304U);
  EXPECT_EQ(out, std::string("\x01\x02\x03\x04", 4));
  append_le<std::uint16_t>(out, 0x0102U);
  EXPECT_EQ(out.substr(4), std::string("\x02\x01", 2));
  EXPECT_EQ(load_be<std::uint32_t>(out.data()), 0x01020304U);
}

TEST(BoundedQueue, TakesOneItemHeavierThanItsBound) {
  BoundedQueue<int> queue(4, 10);
  int value = 7;
  EXPECT_TRUE(queue.push(value, 100, {}));
  EXPECT_FALSE(queue.push_for(value, 1, {}, std::chrono::milliseconds(1)));
  EXPECT_EQ(queue.pop({}), 7);
}

TEST(BoundedQueue, DrainsAfterCloseAndThenEnds) {
  BoundedQueue<int> queue(4, 10);
  int value = 7;
  EXPECT_TRUE(queue.push(value, 1, {}));
  queue.close();
  EXPECT_FALSE(queue.push(value, 1, {}));
  EXPECT_EQ(queue.pop({}), 7);
  EXPECT_EQ(queue.pop({}), std::nullopt);
  EXPECT_TRUE(queue.finished());
}

TEST(BoundedQueue, TakesWhatIsThereAndNothingElse) {
  BoundedQueue<int> queue(4, 10);
  EXPECT_FALSE(queue.try_pop({}));
  int value = 7;
  ASSERT_TRUE(queue.push(value, 1, {}));
  EXPECT_EQ(queue.try_pop({}), 7);
  EXPECT_EQ(queue.weight(), 0U);
  EXPECT_FALSE(queue.try_pop({}));
}

TEST(BoundedQueue, WakesAWaitingReaderOnStop) {
  BoundedQueue<int> queue(1, 1);
  std::atomic<pid_t> thread{0};
  std::jthread reader([&](const std::stop_token& stop) {
    thread = ::gettid();
    EXPECT_EQ(queue.pop(stop), std::nullopt);
  });
  // Behind that line the thread has nothing to sleep for but the queue.
  EXPECT_TRUE(eventually([&] { return thread != 0 && asleep(thread); }));
  reader.request_stop();
}

TEST(RetryPolicy, IsReadFromText) {
  using std::chrono::milliseconds;
  const RetryPolicy wished = parse_retry_policy("10,200");
  EXPECT_EQ(wished.first, milliseconds(10));
  EXPECT_EQ(wished.longest, milliseconds(200));
  for (const char* none : {"", "10", "10,", "x,200", "0,200", "200,10", "10,200ms"}) {
    EXPECT_EQ(parse_retry_policy(none).first, milliseconds(200)) << none;
    EXPECT_EQ(parse_retry_policy(none).longest, milliseconds(30'000)) << none;
  }
}

TEST(Retry, TriesATransientErrorAgainAndLetsOthersOut) {
  int tries = 0;
  Retry retry({std::chrono::milliseconds(1), std::chrono::milliseconds(2)}, nullptr);
  EXPECT_TRUE(retry.run({}, [&] {
    if (++tries < 3) {
      throw Error(ErrorKind::Transient, "away");
    }
  }));
  EXPECT_EQ(tries, 3);
  EXPECT_THROW(retry.run({}, [] { throw Error(ErrorKind::Fatal, "gone"); }), Error);
}

TEST(Retry, AnAttemptSaysWhatToWait) {
  using std::chrono::milliseconds;
  Retry retry({milliseconds(100), milliseconds(10'000), 10.0}, nullptr);
  const auto fails = [] { throw Error(ErrorKind::Transient, "away"); };
  const auto failed = [&](milliseconds least, milliseconds most) {
    const auto wait = retry.attempt(fails);
    return wait && *wait >= least && *wait <= most;
  };
  EXPECT_TRUE(failed(milliseconds(50), milliseconds(100)));
  EXPECT_TRUE(failed(milliseconds(500), milliseconds(1000)));
  EXPECT_EQ(retry.attempt([] {}), std::nullopt);
  EXPECT_TRUE(failed(milliseconds(50), milliseconds(100))) << "one was done since";
  EXPECT_THROW(retry.attempt([] { throw Stopped(); }), Stopped);
  EXPECT_THROW(retry.attempt([] { throw Error(ErrorKind::Fatal, "gone"); }), Error);
}

TEST(Retry, StartsTheWaitsOverAfterATryThatGotSomewhere) {
  std::uint64_t received = 0;
  std::vector<bool> first;  // whether a wait was of the first length
  const auto note = [&](const Error&, std::chrono::milliseconds wait) {
    first.push_back(wait <= std::chrono::milliseconds(2));
  };
  Retry retry({std::chrono::milliseconds(2), std::chrono::milliseconds(1000), 8.0}, note,
              [&] { return received; });
  int tries = 0;
  EXPECT_TRUE(retry.run({}, [&] {
    ++tries;
    if (tries == 3) {
      ++received;
    }
    if (tries < 5) {
      throw Error(ErrorKind::Transient, "away");
    }
  }));
  EXPECT_EQ(first, (std::vector<bool>{true, false, true, false}));
}

TEST(Clock, WritesTimeAsPostgresDoes) {
  EXPECT_EQ(to_text(SystemTime(std::chrono::microseconds(1'000'000'123'456))),
            "1970-01-12 13:46:40.123456+00");
}

class RealFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/re_dms_base_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
  }

  void TearDown() override {
    for (const std::string& name : files_.list(directory_)) {
      files_.remove(directory_ + "/" + name);
    }
    ::rmdir(directory_.c_str());
  }

  FileSystem& files_ = real_file_system();
  std::string directory_;
};

TEST_F(RealFiles, ReadBackWhatWasAppendedAndCut) {
  const auto file = files_.create(directory_ + "/a");
  file->append("hello world");
  file->truncate(5);
  file->sync();
  EXPECT_EQ(file->size(), 5U);
  EXPECT_EQ(read_file(files_, directory_ + "/a"), "hello");
  EXPECT_THROW(files_.create(directory_ + "/a"), Error);
}

TEST_F(RealFiles, ReplaceLeavesTheNewContent) {
  replace_file(files_, directory_ + "/state", "one");
  replace_file(files_, directory_ + "/state", "two");
  EXPECT_EQ(read_file(files_, directory_ + "/state"), "two");
  EXPECT_EQ(files_.list(directory_), std::vector<std::string>{"state"});
}

TEST_F(RealFiles, ALockIsHeldOnce) {
  const auto held = files_.lock(directory_ + "/lock");
  EXPECT_THROW(files_.lock(directory_ + "/lock"), Error);
}

TEST_F(RealFiles, ErrorsNameThePathAndTheReason) {
  try {
    files_.open_read(directory_ + "/missing");
    FAIL() << "opened a file that is not there";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/missing: No such file"), std::string::npos) << error.what();
  }
}

class Failpoint : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  void TearDown() override { ::unsetenv("RE_DMS_FAILPOINT"); }
};

TEST_F(Failpoint, KillsAtTheTimeThatIsNamed) {
  ::setenv("RE_DMS_FAILPOINT", "elsewhere,here:2", 1);
  const auto reach = [](int times) {
    for (int i = 0; i < times; ++i) {
      failpoint("here");
    }
    ::_exit(0);
  };
  EXPECT_EXIT(reach(1), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(reach(2), ::testing::KilledBySignal(SIGKILL), "failpoint here");
}

/// A child that stops itself and goes on once it is told.
TEST_F(Failpoint, StopsUntilToldToGoOn) {
  ::setenv("RE_DMS_FAILPOINT", "here=stop", 1);
  const auto stop_and_go_on = [] {
    const pid_t child = ::fork();
    if (child == 0) {
      failpoint("here");
      ::_exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    const bool stopped = WIFSTOPPED(status);
    ::kill(child, SIGCONT);
    ::waitpid(child, &status, 0);
    ::_exit(stopped ? WEXITSTATUS(status) : 1);
  };
  EXPECT_EXIT(stop_and_go_on(), ::testing::ExitedWithCode(7), "failpoint here");
}

TEST(ExitCode, SaysWhoCanEndAnError) {
  EXPECT_EQ(exit_code_of(Error(ErrorKind::Fatal, "away")), ExitCode::Failed);
  EXPECT_EQ(exit_code_of(Error(ErrorKind::Usage, "wrong")), ExitCode::Usage);
  Error refusal = Error(ErrorKind::Fatal, "the slot is gone").needing_a_person();
  EXPECT_EQ(exit_code_of(refusal.in("starting")), ExitCode::Refused);
}

}  // namespace
}  // namespace re_dms::base_test
