#include "journal/journal_reader.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "base/testing/waiting.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_reader_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kNoWait{0};
const std::string kDirectory(kSampleDirectory);

class JournalReading : public ::testing::Test {
 protected:
  JournalReading() : writer_(files_, sample_limits(), sample_origin()) {}

  void write(JournalBlock block) {
    writer_.append(block);
    writer_.sync();
  }

  FaultyFileSystem files_;
  JournalWriter writer_;
};

TEST_F(JournalReading, GivesWhatStandsBetweenTransactionsByItself) {
  write(StreamSample()
            .catalog({1})
            .logical_message("x")
            .begin(1, nth_commit(1))
            .relation(1)
            .insert(1, "a")
            .commit(nth_commit(1))
            .idle(Lsn{0x5000})
            .catalog({1})
            .take());
  EXPECT_THAT(read_units(files_, kSampleStart),
              ElementsAre("Facts c1", "Facts M", "Transaction B1 R1 I1:a C", "Idle k", "Facts c1"));
}

TEST_F(JournalReading, GivesASmallTransactionOnlyWhenItIsComplete) {
  JournalReader reader(files_, kDirectory, &writer_.tail(), kSampleStart);
  write(StreamSample().begin(1, nth_commit(1)).relation(1).insert(1, "a").take());
  EXPECT_FALSE(reader.next(kNoWait, {}));
  JournalBlock rest = StreamSample().insert(1, "b").commit(nth_commit(1)).take();
  writer_.append(rest);
  EXPECT_FALSE(reader.next(kNoWait, {})) << "not durable yet";
  writer_.sync();
  const auto unit = reader.next(kNoWait, {});
  ASSERT_TRUE(unit);
  EXPECT_EQ(describe(*unit), "Transaction B1 R1 I1:a I1:b C");
  EXPECT_FALSE(reader.next(kNoWait, {}));
}

TEST_F(JournalReading, GivesALargeTransactionInPartsThatDependOnItsBytesOnly) {
  StreamSample sample;
  sample.begin(1, nth_commit(1)).relation(1);
  for (int row = 0; row < 9; ++row) {
    sample.insert(1, std::string(100, 'x'));
    write(sample.take());
  }
  write(StreamSample().commit(nth_commit(1)).take());
  const std::string row = " I1:" + std::string(100, 'x');
  const std::vector<std::string> expected = {"FirstPart B1 R1" + row + row,
                                             "NextPart" + row + row + row,
                                             "NextPart" + row + row + row, "LastPart" + row + " C"};
  EXPECT_EQ(read_units(files_, kSampleStart, {300}), expected);
}

TEST_F(JournalReading, UnitsDoNotDependOnWhenTheyAreRead) {
  JournalReader reader(files_, kDirectory, &writer_.tail(), kSampleStart, {700});
  std::vector<std::string> followed;
  const auto follow = [&] {
    while (const auto unit = reader.next(kNoWait, {})) {
      followed.push_back(describe(*unit));
    }
  };
  for (std::uint32_t n = 1; n <= 50; ++n) {
    const JournalBlock whole = nth_transaction(n);
    for (RecordCursor records(whole.bytes); !records.at_end();) {
      const RecordView record = records.next();
      JournalBlock one;
      one.add(record.kind, record.body);
      write(one);
      follow();
    }
    if (n % 5 == 0) {
      write(StreamSample().begin(n + 1, nth_commit(n + 1)).insert(1, "cut").abort().take());
    }
  }
  EXPECT_GT(list_segments(files_, kDirectory).size(), 3U);
  EXPECT_EQ(read_units(files_, kSampleStart, {700}), followed);
  EXPECT_EQ(read_units(files_, kSampleStart, {700}), followed);
}

TEST_F(JournalReading, DropsAbortedTransactionsUnlessPartsWereGiven) {
  StreamSample sample;
  sample.begin(1, nth_commit(1)).insert(1, "small").abort();
  sample.begin(1, nth_commit(1)).insert(1, "large").insert(1, std::string(80, 'x'));
  sample.insert(1, "dropped").abort().begin(1, nth_commit(1)).commit(nth_commit(1));
  write(sample.take());
  const auto units = read_units(files_, kSampleStart, {100});
  ASSERT_EQ(units.size(), 3U);
  EXPECT_THAT(units[0], HasSubstr("FirstPart B1 I1:large I1:xxx"));
  EXPECT_EQ(units[1], "Abort a");
  EXPECT_EQ(units[2], "Transaction B1 C");
}

TEST_F(JournalReading, StartsAtTheLastSegmentThatCoversItsPosition) {
  for (std::uint32_t n = 1; n < 60; ++n) {
    write(nth_transaction(n));
  }
  const auto all = read_transactions(files_, kSampleStart);
  ASSERT_EQ(all.size(), 59U);
  for (std::uint32_t n = 1; n < 60; ++n) {
    const auto some = read_transactions(files_, nth_commit(n));
    ASSERT_GE(some.size(), 60U - n);
    EXPECT_TRUE(std::equal(some.rbegin(), some.rend(), all.rbegin()));
  }
  EXPECT_LT(read_transactions(files_, nth_commit(59)).size(), 40U);
}

TEST_F(JournalReading, RefusesAPositionBeforeTheJournal) {
  EXPECT_THROW(read_units(files_, Lsn{kSampleStart.value - 1}), Error);
  EXPECT_THROW(JournalReader(files_, "/nowhere", nullptr, kSampleStart), Error);
}

TEST_F(JournalReading, RefusesASegmentThatWasCutWhereARecordEnds) {
  StreamSample sample;
  sample.begin(1, nth_commit(1)).insert(1, std::string(3300, 'x')).commit(nth_commit(1));
  write(sample.take());
  // The last record of segment 1 is not part of a transaction: only the seam shows that it is gone.
  std::size_t last = 0;
  for (Lsn at = nth_end(1); list_segments(files_, kDirectory).size() == 1; ++at.value) {
    const JournalBlock idle = StreamSample().idle(Lsn{at.value + 1}).take();
    last = idle.bytes.size();
    write(idle);
  }
  ASSERT_GT(last, 0U);
  const std::string path = segment_path(kDirectory, 1);
  const std::string whole = files_.content(path);
  ASSERT_NO_THROW(read_units(files_, kSampleStart));
  files_.put(path, whole.substr(0, whole.size() - last));
  try {
    read_units(files_, kSampleStart);
    FAIL() << "read a journal with a hole";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("segment 0000000000000001 ended at byte"));
  }
}

TEST_F(JournalReading, NamesSegmentByteAndLsnOfABadRecord) {
  for (std::uint32_t n = 1; n < 40; ++n) {
    write(nth_transaction(n));
  }
  const std::string path = segment_path(kDirectory, 1);
  std::string bytes = files_.content(path);
  bytes[bytes.size() - 3] = '#';
  files_.put(path, bytes);
  try {
    read_units(files_, kSampleStart);
    FAIL() << "read damaged records";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), HasSubstr("0000000000000001.journal cannot be read at byte"));
    EXPECT_THAT(error.what(), HasSubstr("after 0/"));
    EXPECT_THAT(error.what(), HasSubstr("CRC"));
  }
}

TEST_F(JournalReading, WakesUpWhenSomethingBecomesDurableOrWhenStopped) {
  JournalReader reader(files_, kDirectory, &writer_.tail(), kSampleStart);
  std::string seen;
  std::atomic<pid_t> follower_at_end{0};
  std::jthread follower([&](const std::stop_token& stop) {
    while (const auto unit = reader.next(std::chrono::hours(10'000), stop)) {
      seen += describe(*unit) + "\n";
      if (unit->kind == UnitKind::Idle) {
        break;
      }
    }
    follower_at_end = ::gettid();
    EXPECT_FALSE(reader.next(std::chrono::hours(1), stop));
  });
  write(nth_transaction(4));
  write(StreamSample().idle(Lsn{0x9000}).take());
  EXPECT_TRUE(eventually([&] { return follower_at_end != 0 && asleep(follower_at_end); }));
  follower.request_stop();
  follower.join();
  EXPECT_EQ(seen, "Transaction B4 c16385 R16385 C\nIdle k\n");
}

/// On the machine's own file system: an in-memory one would hide races behind its mutex.
TEST(JournalOnDisk, IsFollowedAndReleasedWhileItIsWritten) {
  char pattern[] = "/tmp/re_dms_journal_XXXXXX";
  ASSERT_NE(::mkdtemp(pattern), nullptr);
  FileSystem& files = real_file_system();
  JournalLimits limits = sample_limits();
  limits.directory = pattern;
  limits.segment_bytes = 32'768;
  constexpr std::uint32_t kTransactions = 3000;
  {
    JournalWriter writer(files, limits, sample_origin());
    JournalReader reader(files, limits.directory, &writer.tail(), kSampleStart, {1024});
    std::uint64_t rows = 0;
    std::uint32_t transactions = 0;
    std::jthread follower([&](const std::stop_token& stop) {
      while (transactions < kTransactions) {
        const auto unit = reader.next(std::chrono::seconds(60), stop);
        ASSERT_TRUE(unit);
        for (RecordCursor records(unit->records); !records.at_end();) {
          const RecordView record = records.next();
          rows += record.kind == RecordKind::Message && record.body[0] == 'I' ? 1 : 0;
        }
        transactions += unit->kind == UnitKind::Transaction || unit->kind == UnitKind::LastPart;
        if (transactions % 500 == 1) {
          writer.release_below(nth_commit(transactions));
          EXPECT_FALSE(writer.full());
        }
      }
    });
    std::uint64_t written = 0;
    for (std::uint32_t n = 1; n <= kTransactions; ++n) {
      JournalBlock block = nth_transaction(n);
      written += nth_rows(n);
      writer.append(block);
      if (n % 50 == 0) {
        writer.sync();
      }
    }
    follower.join();
    EXPECT_EQ(rows, written);
    EXPECT_GT(list_segments(files, limits.directory).front(), 1U);
  }
  for (const std::string& name : files.list(limits.directory)) {
    files.remove(limits.directory + "/" + name);
  }
  ::rmdir(pattern);
}

}  // namespace
}  // namespace re_dms::journal_reader_test
