#include "journal/journal_writer.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_writer_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kDirectory(kSampleDirectory);

class JournalWriting : public ::testing::Test {
 protected:
  void open(JournalLimits limits = sample_limits()) {
    writer_.reset();
    writer_ = std::make_unique<JournalWriter>(files_, std::move(limits), sample_origin());
  }

  void write(JournalBlock block) {
    writer_->append(block);
    writer_->sync();
  }

  std::string why_open_fails(const Origin& origin) {
    try {
      const JournalWriter writer(files_, sample_limits(), origin);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Fatal);
      return error.what();
    }
    return "";
  }

  FaultyFileSystem files_;
  std::unique_ptr<JournalWriter> writer_;
};

TEST_F(JournalWriting, BeginsAtTheConsistentPoint) {
  EXPECT_EQ(journal_begin(files_), std::nullopt);
  open();
  EXPECT_EQ(writer_->position(), kSampleStart);
  EXPECT_EQ(writer_->last_commit_end(), kSampleStart);
  EXPECT_EQ(journal_begin(files_), kSampleStart);
  EXPECT_EQ(read_units(files_, kSampleStart), std::vector<std::string>{});
}

TEST_F(JournalWriting, PositionFollowsCommitsAndIdlePositionsOnceSynced) {
  open();
  JournalBlock block = nth_transaction(1);
  writer_->append(block);
  EXPECT_EQ(writer_->position(), kSampleStart);
  writer_->sync();
  EXPECT_EQ(writer_->position(), nth_end(1));
  write(StreamSample().idle(Lsn{0x9000}).take());
  EXPECT_EQ(writer_->position(), Lsn{0x9000});
  EXPECT_EQ(writer_->last_commit_end(), nth_end(1));
  open();
  EXPECT_EQ(writer_->position(), Lsn{0x9000});
  EXPECT_EQ(writer_->last_commit_end(), nth_end(1));
}

TEST_F(JournalWriting, AnUnfinishedTransactionIsAbortedAtTheNextStart) {
  open();
  write(nth_transaction(1));
  write(StreamSample().begin(2, nth_commit(2)).insert(16384, "lost").take());
  open();
  EXPECT_EQ(writer_->last_commit_end(), nth_end(1));
  write(nth_transaction(2));
  EXPECT_THAT(
      read_transactions(files_, kSampleStart),
      ElementsAre("B1 R16385 I16385:row-1-0 C", "B2 R16386 I16386:row-2-0 I16386:row-2-1 C"));
}

TEST_F(JournalWriting, RepeatsFactsInEachSegmentBeforeATablesFirstRow) {
  open();
  write(StreamSample()
            .catalog({1, 2, 3})
            .begin(1, nth_commit(1))
            .relation(1)
            .relation(2)
            .relation(3)
            .insert(1, std::string(6000, 'x'))
            .insert(2, "a")
            .insert(2, "b")
            .insert(1, "c")
            .commit(nth_commit(1))
            .take());
  ASSERT_EQ(list_segments(files_, kDirectory).size(), 3U);
  const std::vector<std::string> units = read_units(files_, kSampleStart);
  ASSERT_EQ(units.size(), 2U);
  EXPECT_THAT(units[1], HasSubstr("x c2 r2 I2:a I2:b c1 r1 I1:c C"));
}

TEST_F(JournalWriting, RepeatsTheLatestFactsAndNotThoseThatCame) {
  open();
  write(StreamSample().catalog({1, 2}).begin(1, nth_commit(1)).relation(1).relation(2).take());
  write(StreamSample().insert(1, std::string(6000, 'x')).take());
  write(StreamSample().relation(1).insert(1, "a").truncate({1, 2}).commit(nth_commit(1)).take());
  EXPECT_THAT(read_units(files_, kSampleStart).back(), HasSubstr("x R1 c1 I1:a c2 r2 T C"));
}

TEST_F(JournalWriting, RepeatsFactsAfterAnAbortThatReadersDropped) {
  open();
  write(StreamSample().begin(1, nth_commit(1)).relation(1).insert(1, "a").abort().take());
  write(StreamSample().begin(1, nth_commit(1)).insert(1, "a").commit(nth_commit(1)).take());
  EXPECT_THAT(read_units(files_, kSampleStart), ElementsAre("Transaction B1 r1 I1:a C"));
}

TEST_F(JournalWriting, RotatesBetweenTransactionsWhereItCan) {
  open();
  for (std::uint32_t n = 1; n < 40; ++n) {
    write(nth_transaction(n));
  }
  const auto numbers = list_segments(files_, kDirectory);
  ASSERT_GT(numbers.size(), 2U);
  for (const std::uint64_t number : numbers) {
    EXPECT_FALSE(open_segment(files_, kDirectory, number).header.open);
  }
}

TEST_F(JournalWriting, ReleasesOnlyWhatNoReaderNeeds) {
  open();
  for (std::uint32_t n = 1; n < 40; ++n) {
    write(nth_transaction(n));
  }
  const auto all = list_segments(files_, kDirectory);
  const std::uint64_t bytes = writer_->bytes();
  const Lsn second = open_segment(files_, kDirectory, all[1]).header.position;
  writer_->release_below(Lsn{second.value - 1});
  EXPECT_EQ(list_segments(files_, kDirectory), all);
  writer_->release_below(second);
  EXPECT_EQ(list_segments(files_, kDirectory).size(), all.size() - 1);
  EXPECT_LT(writer_->bytes(), bytes);
  EXPECT_EQ(journal_begin(files_), second);
  EXPECT_FALSE(read_transactions(files_, second).empty());
  EXPECT_THROW(read_transactions(files_, kSampleStart), Error);
  writer_->release_below(nth_end(39));
  EXPECT_EQ(list_segments(files_, kDirectory).size(), 1U);
  std::uint64_t left = 0;
  for (const std::uint64_t number : list_segments(files_, kDirectory)) {
    left += files_.content(segment_path(kDirectory, number)).size();
  }
  EXPECT_EQ(writer_->bytes(), left);
  open();
  EXPECT_EQ(writer_->position(), nth_end(39));
  EXPECT_EQ(writer_->bytes(), left);
}

TEST_F(JournalWriting, KeepsTheSegmentsOfATransactionThatLeadsIntoTheNext) {
  open();
  StreamSample sample;
  sample.begin(1, nth_commit(1)).relation(1);
  for (int row = 0; row < 4; ++row) {
    sample.insert(1, std::string(3000, 'x'));
  }
  write(sample.take());
  const auto all = list_segments(files_, kDirectory);
  ASSERT_GT(all.size(), 2U);
  writer_->release_below(kSampleStart);
  EXPECT_EQ(list_segments(files_, kDirectory), all);
  write(StreamSample().commit(nth_commit(1)).take());
  EXPECT_EQ(read_transactions(files_, kSampleStart).size(), 1U);
}

TEST_F(JournalWriting, RefusesAnotherOriginAndNamesTheField) {
  open();
  Origin other = sample_origin();
  other.slot = "theirs";
  EXPECT_THAT(why_open_fails(other), HasSubstr("belongs to slot 're_dms', not 'theirs'"));
  other = sample_origin();
  other.timeline = 2;
  EXPECT_THAT(why_open_fails(other), HasSubstr("belongs to timeline '1', not '2'"));
  other = sample_origin();
  other.server_version = 150019;
  EXPECT_EQ(why_open_fails(other), "");
}

TEST_F(JournalWriting, RefusesAGapAndACutSegment) {
  open();
  for (std::uint32_t n = 1; n < 60; ++n) {
    write(nth_transaction(n));
  }
  writer_.reset();
  const auto numbers = list_segments(files_, kDirectory);
  ASSERT_GE(numbers.size(), 3U);
  const std::string path = segment_path(kDirectory, numbers[1]);
  const std::string whole = files_.content(path);
  // Cut where a record begins: every CRC is right, and still a transaction is missing.
  files_.put(path, whole.substr(0, open_segment(files_, kDirectory, numbers[1]).header_bytes));
  EXPECT_THAT(why_open_fails(sample_origin()), HasSubstr("the journal has a hole"));
  files_.remove(path);
  EXPECT_THAT(why_open_fails(sample_origin()), HasSubstr("the journal has a hole"));
}

TEST_F(JournalWriting, RefusesTransactionsThatComeAgainOrOutOfPlace) {
  for (JournalBlock& bad : std::vector<JournalBlock>{
           nth_transaction(1), StreamSample().insert(1, "a").take(),
           StreamSample().commit(nth_commit(9)).take(),
           StreamSample().begin(9, nth_commit(9)).begin(10, nth_commit(10)).take(),
           StreamSample().begin(9, nth_commit(9)).commit(nth_commit(10)).take(),
           StreamSample().begin(9, nth_commit(9)).idle(Lsn{0x9000}).take()}) {
    FaultyFileSystem files;
    JournalWriter writer(files, sample_limits(), sample_origin());
    JournalBlock good = nth_transaction(2);
    writer.append(good);
    EXPECT_THROW(writer.append(bad), Error);
    EXPECT_THROW(writer.sync(), Error) << "a writer that failed must not go on";
  }
}

TEST_F(JournalWriting, IsFullAtItsBoundUntilSomethingIsReleased) {
  JournalLimits limits = sample_limits();
  limits.max_bytes = 12'000;
  open(limits);
  std::uint32_t n = 0;
  while (!writer_->full()) {
    write(nth_transaction(++n));
  }
  EXPECT_GE(writer_->bytes(), 12'000U);
  write(nth_transaction(++n));  // what was received already still goes in
  writer_->release_below(nth_end(n));
  EXPECT_FALSE(writer_->full());
}

TEST_F(JournalWriting, PausesBeforeTheReserveAndStopsInsideATransaction) {
  JournalLimits limits = sample_limits();
  limits.segment_bytes = 1U << 30;
  limits.reserve_bytes = 1U << 30;
  files_.set_space({1ULL << 40, (1ULL << 30) + (80U << 20)});
  open(limits);
  write(nth_transaction(1));
  EXPECT_FALSE(writer_->full());
  write(StreamSample().begin(77, nth_commit(2)).relation(1).take());
  const std::string row(17U << 20, 'x');
  files_.set_space({1ULL << 40, (1ULL << 30) + (40U << 20)});
  write(StreamSample().insert(1, row).take());
  EXPECT_TRUE(writer_->full());
  files_.set_space({1ULL << 40, (1ULL << 30) + 5});
  try {
    write(StreamSample().insert(1, row).take());
    FAIL() << "wrote into the reserve";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("transaction 77 with commit LSN 0/1200"));
    EXPECT_THAT(error.what(), HasSubstr("178258"));  // bytes of it so far
  }
}

TEST_F(JournalWriting, LeavesHalfOfTheReserveToALoad) {
  constexpr std::uint64_t kMiB = 1U << 20;
  JournalLimits limits = sample_limits();
  limits.segment_bytes = 1U << 30;
  limits.reserve_bytes = 100 * kMiB;
  limits.spilled_bytes = [] { return 60 * kMiB; };
  open(limits);
  write(StreamSample().begin(77, nth_commit(2)).relation(1).take());
  const std::string row(17 * kMiB, 'x');
  files_.set_space({1ULL << 40, 70 * kMiB});
  write(StreamSample().insert(1, row).take());
  files_.set_space({1ULL << 40, 60 * kMiB});
  EXPECT_THROW(write(StreamSample().insert(1, row).take()), Error);
}

TEST_F(JournalWriting, RemovesASegmentThatWasNeverFinished) {
  open();
  write(nth_transaction(1));
  files_.put(segment_path(kDirectory, 2) + ".new", "REDM");
  open();
  EXPECT_FALSE(files_.exists(segment_path(kDirectory, 2) + ".new"));
  EXPECT_EQ(writer_->position(), nth_end(1));
}

}  // namespace
}  // namespace re_dms::journal_writer_test
