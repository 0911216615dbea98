#include "observe/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

namespace re_dms::log_writer_test {
namespace {

constexpr std::chrono::milliseconds kLong{20'000};

std::string notice(std::uint64_t lost) {
  return fmt::format("lost {}\n", lost);
}

/// Lines of 100 bytes with a number.
std::string numbered(int number) {
  return fmt::format("{:099}\n", number);
}

/// A pipe that holds one page.
class LogToPipe : public ::testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    from_ = ends[0];
    to_ = ends[1];
    ASSERT_GE(::fcntl(to_, F_SETPIPE_SZ, 4096), 0);
  }

  void TearDown() override {
    close_reader();
    ::close(to_);
  }

  void close_reader() {
    if (from_ >= 0) {
      ::close(std::exchange(from_, -1));
    }
  }

  /// Reads until `wanted` lines came.
  std::vector<std::string> read_lines(std::size_t wanted) {
    std::vector<std::string> lines;
    char buffer[512];
    while (lines.size() < wanted) {
      if (const std::size_t end = text_.find('\n'); end != text_.npos) {
        lines.push_back(text_.substr(0, end + 1));
        text_.erase(0, end + 1);
        continue;
      }
      const ssize_t got = ::read(from_, buffer, sizeof(buffer));
      if (got <= 0) {
        break;
      }
      text_.append(buffer, static_cast<std::size_t>(got));
    }
    return lines;
  }

  int from_ = -1;
  int to_ = -1;
  std::string text_;  ///< read and not handed out
};

TEST_F(LogToPipe, NobodyWaitsForAReader) {
  LogWriter writer(to_, 100'000, notice);
  for (int i = 0; i < 10'000; ++i) {
    writer.write(numbered(i));  // 1 MB
  }
  EXPECT_GT(writer.lost(), 8'000U);
  EXPECT_FALSE(writer.flush(std::chrono::milliseconds(0)));
  // What was taken comes whole and in order, and where some are missing, how many.
  std::uint64_t next = 0;
  std::uint64_t missing = 0;
  while (next < 10'000) {
    const std::vector<std::string> lines = read_lines(1);
    ASSERT_EQ(lines.size(), 1U);
    if (lines[0].starts_with("lost ")) {
      missing += std::stoull(lines[0].substr(5));
      next += std::stoull(lines[0].substr(5));
    } else {
      ASSERT_EQ(lines[0], numbered(static_cast<int>(next)));
      ++next;
    }
  }
  EXPECT_EQ(next, 10'000U);
  EXPECT_EQ(writer.lost(), missing);
  EXPECT_TRUE(writer.flush(kLong));
  writer.write("on\n");
  EXPECT_EQ(read_lines(1), std::vector<std::string>{"on\n"});
}

TEST_F(LogToPipe, WhatIsMissingIsSaidWhereItIsMissing) {
  LogWriter writer(to_, 200, notice);
  int taken = 0;
  while (writer.lost() == 0) {
    writer.write(numbered(taken++));
  }
  --taken;
  std::vector<std::string> before = read_lines(static_cast<std::size_t>(taken) - 1);
  // Room again: perhaps the notice was queued by the thread already, else this line brings it.
  std::vector<std::string> after = read_lines(2);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0], numbered(taken - 1));
  EXPECT_EQ(after[1], notice(1));
}

TEST_F(LogToPipe, LinesLongerThanThePipeAreWhole) {
  LogWriter writer(to_, 1'000, notice);
  const std::string line = std::string(50'000, 'x') + "\n";
  writer.write(line);
  EXPECT_EQ(read_lines(1), std::vector<std::string>{line});
}

/// O_NONBLOCK belongs to the open file, which a shell may share.
TEST_F(LogToPipe, ADescriptorThatDoesNotBlockIsWaitedFor) {
  ASSERT_EQ(::fcntl(to_, F_SETFL, O_NONBLOCK), 0);
  LogWriter writer(to_, 100'000, notice);
  for (int i = 0; i < 500; ++i) {
    writer.write(numbered(i));
  }
  EXPECT_EQ(read_lines(500).back(), numbered(499));
  EXPECT_EQ(writer.lost(), 0U);
}

TEST_F(LogToPipe, LinesWhoseReaderIsGoneAreCounted) {
  LogWriter writer(to_, 100'000, notice);
  close_reader();
  writer.write("one\n");
  writer.write("two\n");
  EXPECT_TRUE(writer.flush(kLong));
  EXPECT_EQ(writer.lost(), 2U);
}

TEST_F(LogToPipe, EndsThoughItsThreadStandsInAWrite) {
  std::optional<LogWriter> writer(std::in_place, to_, 100'000, notice);
  for (int i = 0; i < 100; ++i) {
    writer->write(numbered(i));
  }
  EXPECT_FALSE(writer->flush(std::chrono::milliseconds(1)));
  writer.reset();
  EXPECT_EQ(read_lines(100).back(), numbered(99));  // what was handed in is written all the same
}

}  // namespace
}  // namespace re_dms::log_writer_test
